"""Methods, headers, lines and bodies that no browser sends."""

from __future__ import annotations

import pytest

from tests.attack.raw import get, send, status
from tests.limits.guest import Guest, ask

METHODS = ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "POST", "FOO"]


@pytest.mark.parametrize("method", METHODS)
def test_methods(the_target: str, method: str) -> None:
    guest = Guest(the_target).arrives()
    static = guest.page.partition('src="/')[2].partition('"')[0]
    for path in ("", static, f"api/kernels/{guest.kernel}", f"api/kernels/{guest.kernel}/channels"):
        answer = ask(the_target, path, method)
        if not (path.endswith(guest.kernel) and method == "POST"):  # that is its own goodbye
            assert answer.status in (400, 404, 405), (path, answer.status)
            assert "Traceback" not in answer.text
    guest.leaves()


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override"])
def test_no_header_overrides_a_method(the_target: str, header: str) -> None:
    guest = Guest(the_target).arrives()
    ask(the_target, f"voila/api/shutdown/{guest.kernel}", "GET", **{header: "POST"})
    assert not guest.is_gone()
    guest.leaves()


INJECTIONS = [
    get("/?x=%0d%0aSet-Cookie:%20a=b"),
    get("/%0d%0aSet-Cookie:%20a=b"),
    get("/?model=%0d%0aSet-Cookie:%20a=b&ticket=%0d%0aSet-Cookie:%20a=b"),
    get("/", host="localhost\r\nSet-Cookie: a=b"),
    get("/", host='evil.example/"><script>alert(1)</script>'),
    get("/", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: javascript"),
    b"GET /\r\nSet-Cookie: a=b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\nHost: x\nConnection: close\n\n",
]


@pytest.mark.parametrize("request_", INJECTIONS)
def test_nothing_of_a_request_becomes_a_header_or_a_script(
    the_target: str, request_: bytes
) -> None:
    answer = send(the_target, request_)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"set-cookie" not in head.lower()
    assert b"alert(1)" not in body
    assert b"evil.example" not in body


BROKEN = [
    b"",
    b"\0" * 1000,
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",  # a browser that speaks TLS
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n: no name\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX y: z\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 6\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
]


@pytest.mark.parametrize("request_", BROKEN, ids=[str(n) for n in range(len(BROKEN))])
def test_broken_requests(the_target: str, request_: bytes) -> None:
    answer = send(the_target, request_, hangs_up=True)
    assert status(answer) in (0, 200, 400, 403, 404, 405, 413, 431), answer[:200]
    assert b"Traceback" not in answer


@pytest.mark.parametrize("path", ["/", "/voila/api/shutdown/1-2-3-4-5", "/api/kernels/1-2-3-4-5"])
def test_large_bodies_are_not_read(the_target: str, path: str) -> None:
    size = 100 * 1024 * 1024
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode()
    answer = send(the_target, head + bytes(200_000))
    assert status(answer) in (0, 400, 403, 404, 405, 413)
