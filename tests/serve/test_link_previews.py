"""A shared link to a real server: its head, cover, icons, manifest; previews take no place."""

from __future__ import annotations

import http.client
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from kezako.model.bundle import COVER, amend
from tests.limits.guest import Guest, ask
from tests.page.photos import drawn
from tests.serve.test_links import Head
from tests.servers import serving, until

BOT = "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"
HOSTILE = "</title><script>alert(1)</script>"


@pytest.fixture(scope="module")
def a_home(tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]) -> Path:
    home = tmp_path_factory.mktemp("shared")
    colours = a_bundle(home / "models", "colours", ("red", "green", "blue"))
    amend(colours, {COVER: drawn(size=(120, 63))})
    a_bundle(home / "models", "hostile", (HOSTILE, "b"), title=HOSTILE)
    return home


@pytest.fixture(scope="module")
def a_site(a_home: Path) -> Iterator[str]:
    """A server with one place, behind a proxy, which tells it of TLS."""
    command = ["-m", "kezako", "serve", "--no-browser", "--port", "{port}"]
    arguments = ["--visitors", "1", "--behind-proxy"]
    for address in serving([*command, *arguments], a_home, "healthz"):
        until(lambda: ask(address, "healthz").status == 200, "The page is not ready.")  # noqa: B023
        yield address


def head_of(html: str) -> Head:
    return Head(re.sub(r"<style>.*?</style>", "", html.partition("</head>")[0], flags=re.DOTALL))


def test_the_page_tells_what_it_is(a_site: str) -> None:
    page = ask(a_site, "?model=colours", Host="kezako.example", X_Forwarded_Proto="https")
    head = head_of(page.text)
    assert "<title>Which of colours?</title>" in page.text
    assert page.text.count("<title>") == 1
    assert head.told["description"] == "Choose a photo. It knows red, green and blue."
    assert head.told["og:url"] == "https://kezako.example/?model=colours"
    assert head.told["og:image"].startswith("https://kezako.example/cover/colours.jpg?v=")
    told = json.loads(page.text.partition('id="kezako-page">')[2].partition("<")[0])
    assert told["camera"] is True
    assert "camera=(self)" in page.headers["permissions-policy"]
    gone = ask(a_site, "api/kernels/1-2-3-4-5")
    assert (gone.status, gone.headers["boot-id"]) == (404, told["boot"])
    Guest(a_site, page.kernel).leaves()


def test_a_preview_takes_no_place(a_site: str) -> None:
    for _ in range(3):
        page = ask(a_site, "?model=colours", User_Agent=BOT)
        assert page.status == 200
        assert "kernelId" not in page.text
        assert "x-robots-tag" not in page.headers
        assert "noindex" not in page.text
    assert head_of(page.text).told["og:title"] == "Which of colours?"
    body = page.text.partition("<body>")[2]
    for said in ("Which of colours?", "Choose a photo.", "red", "green", "blue"):
        assert said in body
    inside = Guest(a_site).arrives()
    waiting = ask(a_site)
    assert waiting.status == 503
    assert ask(a_site, User_Agent=BOT).status == 200, "also while all places are taken"
    inside.leaves()
    Guest(a_site).arrives(waiting.again).leaves()  # a ticket in use would keep others out


def test_a_preview_shows_a_makers_words_as_text(a_site: str) -> None:
    page = ask(a_site, "?model=hostile", User_Agent=BOT)
    assert "<script" not in page.text
    assert "og:image" not in page.text, "it has no cover"
    assert ask(a_site, "?model=nothing", User_Agent=BOT).status == 404


def test_a_host_that_is_none_is_not_repeated(a_site: str) -> None:
    parts = urlsplit(a_site)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    connection.putrequest("GET", "/", skip_host=True)
    connection.putheader("Host", "kezako.example/a<b>")
    connection.putheader("User-Agent", BOT)
    connection.endheaders()
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    assert reply.status in (200, 400)
    assert "kezako.example" not in text
    assert "og:url" not in text


def test_the_cover_is_served(a_site: str) -> None:
    parts = urlsplit(a_site)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    connection.request("GET", "/cover/colours.jpg")
    reply = connection.getresponse()
    assert (reply.status, reply.getheader("Content-Type")) == (200, "image/jpeg")
    assert reply.getheader("Cross-Origin-Resource-Policy") == "cross-origin"
    assert Image.open(io.BytesIO(reply.read())).size == (120, 63)
    etag = reply.getheader("ETag")
    connection.request("GET", "/cover/colours.jpg", headers={"If-None-Match": str(etag)})
    again = connection.getresponse()
    assert (again.status, again.read()) == (304, b"")
    connection.close()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("cover/hostile.jpg", "This classifier has no cover picture."),
        ("cover/nothing.jpg", "There is no classifier &#x27;nothing&#x27; here."),
        ("cover/..%2Fhostile.jpg", "There is no classifier"),
        ("icons/7.png", "There is nothing here."),
        ("manifest.webmanifest?model=nothing", "There is nothing here."),
    ],
)
def test_what_is_not_there_gets_a_sentence(a_site: str, path: str, said: str) -> None:
    answer = ask(a_site, path)
    assert answer.status == 404
    assert said in answer.text


def test_a_home_screen_gets_name_and_icons(a_site: str) -> None:
    page = ask(a_site, "?model=colours", User_Agent=BOT)
    links = head_of(page.text).links
    answer = ask(a_site, links["manifest"].lstrip("/"))
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = json.loads(answer.text)
    assert (manifest["name"], manifest["start_url"]) == ("Which of colours?", "/?model=colours")
    assert manifest["display"] == "standalone"
    icons = {one["src"]: one["sizes"] for one in manifest["icons"]}
    for path, sizes in (*icons.items(), (links["apple-touch-icon"], "180x180")):
        parts = urlsplit(a_site)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
        connection.request("GET", path)
        reply = connection.getresponse()
        assert reply.getheader("Content-Type") == "image/png"
        width, height = Image.open(io.BytesIO(reply.read())).size
        connection.close()
        assert f"{width}x{height}" == sizes


def test_search_engines_are_told_what_is_of_use(a_site: str) -> None:
    answer = ask(a_site, "robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.split("\n")[:3] == ["User-agent: *", "Disallow: /api/", "Disallow: /voila/"]
    inside = Guest(a_site).arrives()
    waiting, missing = ask(a_site), ask(a_site, "nothing")
    for page in (waiting, missing):
        assert page.headers["x-robots-tag"] == "noindex"
        assert '<meta name="robots" content="noindex">' in page.text
    inside.leaves()
    Guest(a_site).arrives(waiting.again).leaves()
