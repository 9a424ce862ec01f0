"""Searches and pictures go through the same proxy, by the variables that the field agreed on."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import pytest

from kezako import proxies
from kezako.errors import KezakoError
from kezako.gather import gather
from kezako.gather.check import Reject
from kezako.gather.fetch import Fetcher, ProxyTrouble
from kezako.gather.settings import Settings
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.edited import edited
from tests.gather.saved import rows_of, write_recipe
from tests.standin import Standin

SOURCES = ("duckduckgo", "ddgs", "openverse", "wikimedia")


def _agreed(standin: Standin, **more: str) -> dict[str, str]:
    """An environment that leads to the stand-in without any variable of Kezako's own."""
    plain = {"SSL_CERT_FILE": str(standin.ca), "KEZAKO_PAUSE": "0"}
    return plain | {"HTTPS_PROXY": standin.proxy, "http_proxy": standin.proxy} | more


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_found_through_it_is_fetched_through_it(
    workspace: Workspace, drawn_standin: Standin, source: str, tmp_path: Path
) -> None:
    write_recipe(workspace, "shapes", 2, "round", "square")
    command = [sys.executable, "-m", "kezako", "gather", "shapes", "--source", source]
    home = {"KEZAKO_HOME": str(workspace.root), "HOME": str(tmp_path)}
    done = subprocess.run(
        command, env={**os.environ, **home, **_agreed(drawn_standin)}, cwd=workspace.root,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(rows_of(workspace, "shapes", status="kept")) == 4
    assert all(seen.proxied for seen in drawn_standin.requests)
    assert "resolved by the proxy" in done.stdout


def test_what_no_proxy_names_is_asked_without_one(drawn_standin: Standin) -> None:
    environment = _agreed(drawn_standin, NO_PROXY="127.0.0.1", KEZAKO_ALLOW_PRIVATE="1")
    straight = drawn_standin.urls("x", 1, direct=True)[0]
    through = f"http://pictures.test{straight.removeprefix(drawn_standin.proxy)}"
    settings = Settings.from_environment(environment)
    assert all(isinstance(each, bytes) for each in _fetched(settings, straight, through))
    assert {seen.host: seen.proxied for seen in drawn_standin.requests} == {
        "127.0.0.1": False,
        "pictures.test": True,
    }


def test_what_goes_past_it_must_be_public(drawn_standin: Standin) -> None:
    settings = Settings.from_environment(_agreed(drawn_standin, NO_PROXY="nip.example,127.0.0.1"))
    (outcome,) = _fetched(settings, drawn_standin.urls("x", 1, direct=True)[0])
    assert isinstance(outcome, Reject)
    assert outcome.reason == "private address: 127.0.0.1 is not in the public internet"
    assert not drawn_standin.requests


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "intranet", "metadata.google.internal"])
def test_private_names_are_not_asked_of_it(drawn_standin: Standin, host: str) -> None:
    settings = Settings.from_environment(_agreed(drawn_standin))
    (outcome,) = _fetched(settings, f"https://{host}/x.jpg")
    assert isinstance(outcome, Reject)
    assert outcome.reason.startswith("private address: ")
    assert not drawn_standin.requests


def test_kezakos_own_setting_wins(drawn_standin: Standin) -> None:
    nowhere = {"HTTPS_PROXY": _closed(), "HTTP_PROXY": _closed(), "NO_PROXY": "*"}
    settings = Settings.from_environment(drawn_standin.environment() | nowhere)
    (outcome,) = _fetched(settings, drawn_standin.urls("x", 1)[0])
    assert isinstance(outcome, bytes)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_and_a_password_are_given(drawn_standin: Standin, scheme: str) -> None:
    drawn_standin.login = "me:s e/cret"
    proxy = drawn_standin.proxy.replace("://", "://me:s%20e%2Fcret@")
    settings = Settings.from_environment(drawn_standin.environment() | {"KEZAKO_PROXY": proxy})
    url = edited(drawn_standin.urls("x", 1)[0], "https", scheme)
    assert isinstance(_fetched(settings, url)[0], bytes)
    assert "proxy-authorization" not in drawn_standin.requests[0].headers or scheme == "http"


def test_a_proxy_that_wants_a_password_ends_the_run_and_costs_no_address(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    _searched(workspace, shapes, drawn_settings, drawn_standin)
    drawn_standin.login = "me:secret"
    with pytest.raises(ProxyTrouble, match="wants a name and a password"):
        gather(shapes, workspace, ["openverse"], drawn_settings)
    assert not rows_of(workspace, "shapes", status="broken")
    drawn_standin.login = None
    assert gather(shapes, workspace, ["openverse"], drawn_settings).kept["round"] == 12


def test_a_proxy_that_is_not_there_ends_the_run_and_costs_no_address(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    _searched(workspace, shapes, drawn_settings, drawn_standin)
    proxy = f"http://me:secret@{_closed().removeprefix('http://')}"
    gone = replace(drawn_settings, proxies=proxies.Proxies(proxy))
    with pytest.raises(ProxyTrouble, match="cannot be reached") as stopped:
        gather(shapes, workspace, ["openverse"], gone)
    assert "secret" not in str(stopped.value)
    assert "HTTPS_PROXY" in str(stopped.value)
    assert not rows_of(workspace, "shapes", status="broken")


def test_an_address_that_the_proxy_does_not_reach_is_that_rows_reason(
    drawn_settings: Settings, drawn_standin: Standin
) -> None:
    drawn_standin.play("gone.test", status=502)
    outcomes = _fetched(drawn_settings, "http://gone.test/x.jpg", drawn_standin.urls("x", 1)[0])
    assert isinstance(outcomes[0], Reject)
    assert outcomes[0].reason == "server error: 502"
    assert isinstance(outcomes[1], bytes)


def test_a_socks_proxy_needs_a_package_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kezako.gather.settings.find_spec", lambda name: None)
    with pytest.raises(KezakoError, match=r"pip install 'httpx\[socks\]'"):
        Settings.from_environment({"ALL_PROXY": "socks5://127.0.0.1:1080"})


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("login", [None, "me:secret"])
def test_urllib_asks_by_the_same_rule(
    drawn_standin: Standin, monkeypatch: pytest.MonkeyPatch, scheme: str, login: str | None
) -> None:
    drawn_standin.login = login
    proxy = drawn_standin.proxy.replace("://", f"://{login}@" if login else "://")
    monkeypatch.setenv("KEZAKO_PROXY", proxy)
    monkeypatch.setenv("KEZAKO_CA", str(drawn_standin.ca))
    monkeypatch.setenv("NO_PROXY", "*")
    url = edited(drawn_standin.urls("x", 1)[0], "https", scheme)
    with proxies.opener().open(url, timeout=20) as answer:
        assert answer.read().startswith(b"\xff\xd8\xff")
    (seen,) = drawn_standin.requests
    assert (seen.proxied, seen.host) == (True, url.split("/")[2])


def test_urllib_goes_past_it_where_no_proxy_says_so(
    drawn_standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", _closed())
    monkeypatch.setenv("no_proxy", "127.0.0.0/8")
    with proxies.opener().open(drawn_standin.urls("x", 1, direct=True)[0], timeout=20) as answer:
        assert answer.status == 200
    assert not drawn_standin.requests[0].proxied


def test_urllib_and_a_socks_proxy_say_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")
    with pytest.raises(URLError, match="SOCKS"):
        proxies.opener().open("http://a.test/", timeout=5)


def _searched(workspace: Workspace, shapes: Recipe, settings: Settings, standin: Standin) -> None:
    """Leave addresses that wait: found, and not needed so far."""
    gather(replace(shapes, pictures_per_class=3), workspace, ["openverse"], settings)
    assert len(rows_of(workspace, "shapes", status="pending")) > 2
    standin.requests.clear()


def _closed() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def _fetched(settings: Settings, *urls: str) -> list[bytes | Reject]:
    async def as_it_is(data: bytes) -> bytes:
        return data

    async def all_of_them() -> list[bytes | Reject]:
        async with Fetcher(settings) as fetcher:
            return await asyncio.gather(*(fetcher.fetch(url, as_it_is) for url in urls))

    return asyncio.run(all_of_them())
