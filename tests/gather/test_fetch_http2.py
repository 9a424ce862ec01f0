"""A host that offers HTTP/2 is spoken to in it; one that does not, is not."""

from __future__ import annotations

import asyncio

from kezako.gather.check import Reject
from kezako.gather.fetch import Fetcher
from kezako.gather.settings import Settings
from tests.standin import Standin

PICTURES = 12
BIG = b"\xff\xd8\xff" + bytes(400_000)  # more than HTTP/2 lets a server send unasked


def _fetched(settings: Settings, urls: list[str]) -> list[bytes | Reject]:
    async def as_it_is(data: bytes) -> bytes:
        return data

    async def all_of_them() -> list[bytes | Reject]:
        async with Fetcher(settings) as fetcher:
            return await asyncio.gather(*(fetcher.fetch(url, as_it_is) for url in urls))

    return asyncio.run(all_of_them())


def test_http2_is_spoken_where_it_is_offered(standin: Standin, settings: Settings) -> None:
    urls = [f"https://http2.test/drawn/unicorn/{number:05}.jpg" for number in range(PICTURES)]
    found = _fetched(settings, urls)
    assert found == [standin.pictures.read(url.removeprefix("https://http2.test")) for url in urls]
    assert [seen.protocol for seen in standin.requests] == ["HTTP/2"] * PICTURES


def test_http1_is_spoken_elsewhere(standin: Standin, settings: Settings) -> None:
    found = _fetched(settings, ["https://http1.test/drawn/unicorn/00001.jpg"])
    assert isinstance(found[0], bytes)
    assert [seen.protocol for seen in standin.requests] == ["HTTP/1.1"]


def test_a_large_picture_comes_whole_over_http2(standin: Standin, settings: Settings) -> None:
    standin.play("http2.test", body=BIG, content_type="image/jpeg")
    assert _fetched(settings, ["https://http2.test/big.jpg"]) == [BIG]


def test_a_stream_that_is_cut_off_is_tried_again_then_rejected(
    standin: Standin, settings: Settings
) -> None:
    (found,) = _fetched(settings, ["https://http2.test/trouble/drop/0.jpg"])
    assert isinstance(found, Reject)
    assert found.reason.startswith("cut off: ")
    assert [seen.protocol for seen in standin.requests] == ["HTTP/2"] * 2
