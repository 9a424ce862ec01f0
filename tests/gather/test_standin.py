"""The stand-in keeps its word, so that tests built on it mean something."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image

import tests.standin
from tests.standin import TROUBLES, Standin
from tests.standin.pictures import draw

ROOT = Path(__file__).parents[2]


def client(ca: Path, proxy: str, **options: object) -> httpx.Client:
    context = httpx.create_ssl_context()
    context.load_verify_locations(str(ca))
    return httpx.Client(proxy=proxy, verify=context, timeout=10, **options)  # type: ignore[arg-type]


def test_serves_pictures_over_tls_and_plain(standin: Standin) -> None:
    with client(standin.ca, standin.proxy) as web:
        for url in (*standin.urls("black bear", 2), "http://pictures.test/drawn/unicorn/00001.jpg"):
            answer = web.get(url)
            assert answer.headers["Content-Type"] == "image/jpeg"
            assert Image.open(io.BytesIO(answer.content)).size[0] > 100
    for url in standin.urls("unicorn", 2, direct=True):
        assert httpx.get(url).status_code == 200


def test_speaks_http2_where_the_name_says_so(standin: Standin) -> None:
    # 400 KB: more than the window that a client opens before it has read anything.
    standin.play("http2.test", path="/big", body=bytes(400_000), content_type="image/jpeg")
    with client(standin.ca, standin.proxy, http2=True) as web:
        answer = web.get("https://http2.test/drawn/unicorn/00001.jpg")
        assert answer.http_version == "HTTP/2"
        plain = httpx.get(f"{standin.proxy}/drawn/unicorn/00001.jpg")
        assert answer.content == plain.content == draw("unicorn", 1)
        assert len(web.get("https://http2.test/big").content) == 400_000
        with pytest.raises(httpx.RemoteProtocolError):
            web.get("https://http2.test/trouble/drop/0.jpg")
        assert web.get("https://pictures.test/drawn/unicorn/1.jpg").http_version == "HTTP/1.1"


def test_without_its_authority_nobody_trusts_it(standin: Standin) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get("https://pictures-0.test/", proxy=standin.proxy, trust_env=False)


def test_each_trouble_is_documented_and_answered(standin: Standin) -> None:
    assert tests.standin.__doc__
    words = set(tests.standin.__doc__.replace(",", " ").replace(".", " ").split())
    with client(standin.ca, standin.proxy) as web:
        for kind in TROUBLES:
            assert kind in words
            if kind in ("hang", "drip", "endless", "huge-length", "drop", "drop-midway"):
                continue
            assert web.get(standin.trouble(kind)).status_code != 404 or kind == "status-404"


def test_the_same_words_draw_the_same_pictures(drawn_standin: Standin) -> None:
    urls = drawn_standin.urls("black bear", 120, direct=True)
    first, other = (httpx.get(url).content for url in urls[:2])
    # Drawn anew: what was drawn once is remembered.
    assert first == draw.__wrapped__("black-bear", 0) != other


def test_more_addresses_than_pictures_all_lead_to_one(drawn_standin: Standin) -> None:
    urls = drawn_standin.urls("unicorn", 250, direct=True)
    assert len(set(urls)) == 250
    first, last = (httpx.get(url).content for url in (urls[249 - 240], urls[-1]))
    assert first == last == draw("unicorn", 249 - 240)


def test_many_requests_are_answered_together(standin: Standin) -> None:
    standin.play("pictures", latency=0.3)

    async def ask() -> None:
        async with httpx.AsyncClient(timeout=30) as web:
            await asyncio.gather(*map(web.get, standin.urls("unicorn", 40, direct=True)))

    asyncio.run(ask())
    assert standin.count("pictures") == 40
    assert standin.most_at_once() > 20


def test_a_play_ends_after_its_times_and_a_reset_ends_all(standin: Standin) -> None:
    url = standin.urls("unicorn", 1, direct=True)[0]
    standin.play("pictures", status=404)
    standin.play("pictures", status=429, times=1, after=1)
    assert [httpx.get(url).status_code for _ in range(3)] == [404, 429, 404]
    standin.reset()
    assert httpx.get(url).status_code == 200


def test_failures_are_a_share_and_always_the_same() -> None:
    standin = Standin(failures=0.1).start()
    try:
        urls = standin.urls("unicorn", 1000, direct=True)
        bad = [url for url in urls if standin.fails(url)]
        assert 70 < len(bad) < 130
        for url in (bad[0], urls[0]):
            expected = standin.fails(url)
            try:
                status = httpx.get(url).status_code
            except httpx.RemoteProtocolError:
                status = 0
            assert (expected or "html", status) in {
                ("status-404", 404),
                ("status-500", 500),
                ("html", 200),
                ("drop", 0),
            }
    finally:
        standin.stop()


def test_stands_alone_until_it_is_stopped() -> None:
    command = [sys.executable, "-m", "tests.standin", "--latency", "0.01"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            exports = exported(process)
            with client(Path(exports["KEZAKO_CA"]), exports["KEZAKO_PROXY"]) as web:
                assert "vqd" in web.get("https://duckduckgo.com/?q=x").text
        finally:
            process.terminate()
        assert process.wait(20) == 0


def exported(process: subprocess.Popen[str]) -> dict[str, str]:
    """The variables that it prints, once it serves."""
    exports: dict[str, str] = {}
    assert process.stdout
    for line in iter(process.stdout.readline, ""):
        if line.startswith("export "):
            name, value = line.removeprefix("export ").strip().split("=", 1)
            exports[name] = value
        if "serving" in line:
            break
    return exports
