"""Whatever an address holds and a server says, fetching it ends as a picture or a reason."""

from __future__ import annotations

import asyncio
import random

import pytest

from kezako.gather.check import Reject
from kezako.gather.fetch import Fetcher, Limits
from kezako.gather.settings import Settings
from tests.standin import Standin

LIMITS = Limits(max_bytes=2**20, silence=2.0, whole=4.0, waits=())
PATH = "/drawn/x/00001.jpg"
NO_ADDRESSES = [
    "http://a.test:99999999/x.jpg", "http://a.test:0/x.jpg", "http://a.test:-1/", "http://a.test:x/",
    "http://xn--\x00/", "http://💩.la/x.jpg", "http://☃.la/", "http://a..b/", "http://.a.test/",
    f"http://{'a' * 64}.test/", f"http://{'a.' * 200}test/", "http://exa mple.test/", "http://%6c/",
    "http://a%2etest/", "http://a.test%00.b.test/", "http://[::1", "http://[v1.x]/", "http://[]/",
    "http://256.256.256.256/", "http:///x.jpg", "http:x.jpg", "http://", "//a.test/x.jpg", "x.jpg",
    "http://a.test/\x00", "http://a.test/\ud800", f"http://a.test/{'a' * 70_000}", "\\\\a.test\\x",
    "file:///etc/passwd", "gopher://a.test/", "jar:http://a.test!/x", "blob:http://a.test/1",
    "javascript:alert(1)", "ws://a.test/", "about:blank", "view-source:http://a.test/", "HTTPS",
]  # fmt: skip
PICTURES = [
    f"http://xn--ls8h.la{PATH}",  # a domain that is an emoji, as browsers ask for it
    f"http://xn--a.test{PATH}", f"http://a_b.test{PATH}", f"http://A.TEST.{PATH}", f"http://user:p%zz@a.test{PATH}",
    f"http://a.test:8080{PATH}", f"http://a.test{PATH}?%zz&%00#x", f"HTTP://a.test{PATH}",
    f"http://bücher.test{PATH}", f"http://-a-.test{PATH}", f"https://a.test{PATH}",
]  # fmt: skip


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_said(settings: Settings, standin: Standin, address: str) -> None:
    outcome = _fetched(settings, address)
    assert isinstance(outcome, Reject)
    assert outcome.reason.startswith("no address: ")
    assert len(outcome.reason) < 200
    assert outcome.reason.isprintable()
    assert not standin.requests


@pytest.mark.parametrize("address", PICTURES)
def test_odd_addresses_that_browsers_open_are_fetched(settings: Settings, address: str) -> None:
    assert isinstance(_fetched(settings, address), bytes)


@pytest.mark.parametrize("address", NO_ADDRESSES[:-1])
def test_a_server_that_leads_to_no_address_is_refused(
    settings: Settings, standin: Standin, address: str
) -> None:
    # A relative one leads back to the server, until there were too many.
    location = address.encode("utf-8", "surrogatepass").replace(b"\x00", b"%00")
    standin.play("odd.test", raw=b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\n\r\n")
    outcome = _fetched(settings, "http://odd.test/x.jpg")
    assert isinstance(outcome, Reject)
    assert {"odd.test"} <= {seen.host for seen in standin.requests} <= {"odd.test", "a.test"}


def test_a_password_in_an_address_and_a_cookie_go_nowhere(
    settings: Settings, standin: Standin
) -> None:
    answer = b"HTTP/1.1 302 Found\r\nSet-Cookie: id=1\r\nLocation: http://a.test%b\r\n\r\n"
    standin.play("odd.test", raw=answer % PATH.encode())
    assert isinstance(_fetched(settings, "http://me:secret@odd.test/x.jpg"), bytes)
    for seen in standin.requests:
        assert not {"authorization", "cookie", "referer"} & set(seen.headers)
        assert seen.headers["host"] == seen.host


def test_the_host_of_an_ipv6_address_stands_in_brackets(
    settings: Settings, standin: Standin
) -> None:
    assert isinstance(_fetched(settings, f"http://[2606:4700::1]:8080{PATH}"), bytes)
    assert standin.requests[0].headers["host"] == "[2606:4700::1]:8080"


GOOD = b"\xff\xd8\xff" + bytes(997)
ODD_ANSWERS = {
    "no http": b"\x00\x01\x02" * 100,
    "http/0.9": GOOD,
    "status of four": b"HTTP/1.1 2000 OK\r\n\r\n" + GOOD,
    "status 999": b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
    "status 0": b"HTTP/1.1 000 What\r\n\r\n",
    "only going on": b"HTTP/1.1 100 Continue\r\n\r\n" * 2000,
    "other protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + GOOD,
    "no end of headers": b"HTTP/1.1 200 OK\r\nA: b\r\n",
    "huge header": b"HTTP/1.1 200 OK\r\nA: " + b"a" * 300_000 + b"\r\n\r\n" + GOOD,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000 + b"\r\n" + GOOD,
    "bad header": b"HTTP/1.1 200 OK\r\n: x\r\n\r\n" + GOOD,
    "latin header": b"HTTP/1.1 200 OK\r\nContent-Type: \xe9\xff\xfe\r\nA: \xff\r\n\r\n<html>",
    "null in header": b"HTTP/1.1 200 OK\r\nContent-Type: a\x00b\r\n\r\n<html>",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + GOOD,
    "length no number": b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n" + GOOD,
    "length of superscripts": b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\xb3\r\n\r\n" + GOOD,
    "endless length": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n" + GOOD,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n" + GOOD,
    "too short": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + GOOD,
    "packed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00" + bytes(500),
    "unknown transfer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n" + GOOD,
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + GOOD,
    "huge chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    "empty location": b"HTTP/1.1 302 Found\r\nLocation:\r\n\r\n",
    "two locations": b"HTTP/1.1 302 F\r\nLocation: /x\r\nLocation: http://[\r\n\r\n",
    "location of bytes": b"HTTP/1.1 302 F\r\nLocation: /\xff\xfe\xe9\r\n\r\n",
    "odd wait": b"HTTP/1.1 429 Wait\r\nRetry-After: " + b"9" * 500 + b"\r\n\r\n",
    "negative wait": b"HTTP/1.1 503 Wait\r\nRetry-After: -1e999\r\n\r\n",
    "odd date": b"HTTP/1.1 503 Wait\r\nRetry-After: Mon, 99 Foo 99999 99:99:99 +9999\r\n\r\n",
    "odd robots": b"HTTP/1.1 200 OK\r\nX-Robots-Tag: \xff:,;:::\xe9\r\n\r\n<html>",
}


@pytest.mark.parametrize("kind", ODD_ANSWERS)
def test_an_odd_answer_is_a_reason(settings: Settings, standin: Standin, kind: str) -> None:
    standin.play("odd.test", raw=ODD_ANSWERS[kind])
    outcome = _fetched(settings, "http://odd.test/x.jpg")
    assert isinstance(outcome, Reject)
    assert ": " in outcome.reason
    assert len(outcome.reason) < 200
    assert outcome.reason.isprintable()


def test_hundreds_of_damaged_addresses_raise_nothing(settings: Settings, standin: Standin) -> None:
    chance = random.Random(22)
    pieces = ["%", "%00", "xn--", "xn--ls8h.", ":", "@", "[", "]", "//", "..", "\\", "💩", "#", "?",
              "\u3002", "\u200d", "\x7f", "ß", ":99999999", "[::]", "a" * 70, "\ud83d"]  # fmt: skip
    addresses = []
    for _ in range(400):
        address = list(f"{chance.choice(['http', 'https'])}://user@pictures-0.test:80{PATH}")
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(7, 34)  # user, host and port, and where the path begins
            address[at : at + chance.randint(0, 2)] = [chance.choice(pieces)]
        addresses.append("".join(address))
    outcomes = _all_fetched(settings, addresses)
    assert len(outcomes) == len(addresses)
    assert {type(outcome) for outcome in outcomes} == {bytes, Reject}


def test_what_a_library_raises_is_a_reason(
    settings: Settings, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clumsy(*_: object) -> bool:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr("kezako.gather.fetch.is_picture", clumsy)
    outcome = _fetched(settings, standin.urls("x", 1)[0])
    assert isinstance(outcome, Reject)
    assert outcome.reason == "no sense: a fault"


def _fetched(settings: Settings, address: str) -> bytes | Reject:
    return _all_fetched(settings, [address])[0]


def _all_fetched(settings: Settings, addresses: list[str]) -> list[bytes | Reject]:
    async def as_it_is(data: bytes) -> bytes:
        return data

    async def all_of_them() -> list[bytes | Reject]:
        async with Fetcher(settings, limits=LIMITS) as fetcher:
            return await asyncio.gather(*(fetcher.fetch(each, as_it_is) for each in addresses))

    return asyncio.run(all_of_them())
