"""Requests that two servers would read differently, and connections that say nothing."""

from __future__ import annotations

import pytest

from tests.api.client import Client, colour

RED = colour(250, 20, 20)
SECOND = b"GET /api/models HTTP/1.1\r\nHost: x\r\n\r\n"

AMBIGUOUS: dict[str, bytes] = {
    "length-and-chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two-lengths": b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n",
    "length-plus": b"Content-Length: +0\r\n\r\n",
    "length-negative": b"Content-Length: -1\r\n\r\n",
    "length-hexadecimal": b"Content-Length: 0x0\r\n\r\n",
    "length-spaced": b"Content-Length: 0 0\r\n\r\n",
    "length-enormous": b"Content-Length: 99999999999999999999999\r\n\r\n",
    "chunks-twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks-dressed": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunk-size-negative": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "chunk-size-words": b"Transfer-Encoding: chunked\r\n\r\n0x0 x\r\n\r\n",
    "header-folded": b"X: y\r\n Content-Length: 0\r\nContent-Length : 0\r\n\r\n",
    "header-of-nul": b"X: \0\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a_second_request_is_never_smuggled(an_api: Client, name: str) -> None:
    head = b"POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    received = an_api.raw(head + AMBIGUOUS[name] + SECOND)
    assert b'"models"' not in received
    answers = received.split(b"HTTP/1.1 ")[1:]
    assert answers
    for answer in answers:
        assert answer.startswith((b"400", b"413", b"415", b"422")), answer[:80]


@pytest.mark.parametrize(
    "request_line",
    [b"POST /api/predict", b"POST /api/predict HTTP/9.9", b"\0\0\0\0", b"POST  HTTP/1.1",
     b"GET /api/predict?model=%00%ff%zz HTTP/1.1", b"GET //api/../api/models HTTP/1.1",
     b"POST /api/predict?" + b"x" * 10_000 + b" HTTP/1.1", b"TRACE /api/models HTTP/1.1",
     b"GET /api/models?x=%0d%0aSet-Cookie:%20a=b HTTP/1.1"],
)  # fmt: skip
def test_odd_request_lines(an_api: Client, request_line: bytes) -> None:
    received = an_api.raw(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    head = received.split(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 ")
    assert b"Set-Cookie: a=b" not in head
    assert b"Traceback" not in received
    assert not head.startswith(b"HTTP/1.1 5")


def test_many_half_open_connections(an_api: Client) -> None:
    half = [an_api.connect() for _ in range(200)]
    try:
        for number, connection in enumerate(half):
            if number % 2:
                connection.sendall(b"POST /api/predict HTTP/1.1\r\nHost: x\r\n")
        assert an_api.send(RED).json()["label"] == "red"
    finally:
        for connection in half:
            connection.close()


def test_cut_off_in_the_middle(an_api: Client) -> None:
    for sent in (b"POST /api/pre", b"POST /api/predict HTTP/1.1\r\nContent-Length: 99\r\n\r\nabc"):
        with an_api.connect() as connection:
            connection.sendall(sent)
    assert an_api.send(RED).json()["label"] == "red"


def test_it_asks_before_a_large_body_is_sent(an_api: Client) -> None:
    head = (
        b"POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
        b"Expect: 100-continue\r\nContent-Length: 900000000\r\n\r\n"
    )
    received = an_api.raw(head)
    assert received.startswith(b"HTTP/1.1 413")
    assert received.count(b"HTTP/1.1") == 1
