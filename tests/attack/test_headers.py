"""Every response carries what keeps a browser safe, and nothing that helps an attacker."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from tests.limits.guest import ask

PATHS = {
    "the page": ("", "GET", 200),
    "its head": ("", "HEAD", 200),
    "nothing": ("nothing", "GET", 404),
    "no such API": ("api/nothing", "GET", 404),
    "no such kernel": ("api/kernels/1-2-3-4-5", "GET", 404),
    "a wrong method": ("", "PUT", 405),
    "a wrong handshake": ("api/kernels/1-2-3-4-5/channels", "GET", 400),
    "models": ("api/models", "GET", 200),
    "for home screens": ("manifest.webmanifest", "GET", 200),
    "an icon": ("icons/180.png", "GET", 200),
    "for search engines": ("robots.txt", "GET", 200),
    "no cover": ("cover/colours.jpg", "GET", 404),
    "health": ("healthz", "GET", 200),
    "metrics": ("metrics", "GET", 200),
}


@pytest.mark.parametrize("case", PATHS)
def test_what_every_response_carries(the_target: str, case: str) -> None:
    path, method, status = PATHS[case]
    answer = ask(the_target, path, method)
    assert answer.status == status
    headers = answer.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    scripts = policy.partition("script-src")[2].partition(";")[0]
    assert scripts.strip() in ("", "'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["permissions-policy"].startswith("camera=(self), geolocation=(), microphone=()")
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in headers
    assert "set-cookie" not in headers


def test_only_named_sites_may_frame_the_page(the_target: str) -> None:
    headers = ask(the_target).headers
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "SAMEORIGIN"


def test_the_page_holds_no_script_of_its_own(the_target: str) -> None:
    tags = ask(the_target).text.split("<script")[1:]
    assert len(tags) >= 2
    for tag in tags:
        start = tag.partition(">")[0]
        assert "src=" in start or 'type="application/json"' in start


def test_the_pages_files_are_kept_for_ever_and_compressed(the_target: str) -> None:
    page = ask(the_target).text
    path = page.partition('src="/')[2].partition('"')[0]
    plain, small = ask(the_target, path), ask(the_target, path, Accept_Encoding="gzip")
    assert "immutable" in plain.headers["cache-control"]
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(plain.text) / 2
    assert "Accept-Encoding" in small.headers["vary"]
    again = ask(the_target, path, If_None_Match=plain.headers["etag"])
    assert (again.status, again.text) == (304, "")
    assert (
        ask(the_target, path, "HEAD").headers["content-length"] == plain.headers["content-length"]
    )
    assert ask(the_target, Accept_Encoding="gzip").headers["content-encoding"] == "gzip"


def test_the_websocket_says_nothing_of_its_server(the_target: str) -> None:
    parts = urlsplit(the_target)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    connection.request(
        "GET", "/api/kernels/1-2-3-4-5/channels?session_id=a",
        headers={
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
    )  # fmt: skip
    answer = connection.getresponse()
    assert answer.status == 101
    assert answer.getheader("Server") is None
    connection.close()
