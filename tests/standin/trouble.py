"""Picture addresses that go wrong, each in one way."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

from PIL import Image

from tests.standin.messages import Reply
from tests.standin.pictures import draw
from tests.standin.plays import HANG, HTML, pour

JPEG = "image/jpeg"
DRIP = 0.25  # seconds a byte


@lru_cache(maxsize=1)
def bomb(side: int = 30_000) -> bytes:
    """A PNG of a hundred kilobytes that decodes to 900 megapixels."""
    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", head), _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


_REDIRECTS = {
    "redirect-metadata": "http://169.254.169.254/latest/meta-data/",
    "redirect-loopback": "http://127.0.0.1:22/",
    "redirect-private": "http://192.168.0.1/admin.jpg",
    "redirect-ipv6": "http://[::1]/",
    "redirect-file": "file:///etc/passwd",
}
_BODIES: dict[str, Callable[[bytes], Reply]] = {
    "html": lambda good: Reply(HTML),
    "html-typed-jpeg": lambda good: Reply(HTML, content_type=JPEG),
    "text": lambda good: Reply(b"hello", content_type="text/plain"),
    "empty": lambda good: Reply(b"", content_type=JPEG),
    "octet-stream": lambda good: Reply(good, content_type=None),
    "wrong-type": lambda good: Reply(good, content_type="text/html"),
    "truncated": lambda good: Reply(good[: len(good) // 2], content_type=JPEG),
    "bomb": lambda good: Reply(bomb(), content_type="image/png"),
    "svg": lambda good: Reply(
        b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>',
        content_type="image/svg+xml",
    ),
    "gif": lambda good: Reply(_encoded(_reopened(good), "GIF"), content_type="image/gif"),
    "tiny": lambda good: Reply(_encoded(Image.new("RGB", (8, 8), "red"), "PNG"), content_type=JPEG),
    "blank": lambda good: Reply(
        _encoded(Image.new("RGB", (300, 300), "white"), "PNG"), content_type="image/png"
    ),
    "endless": lambda good: Reply(stream=pour(None), content_type=JPEG),
    "huge-length": lambda good: Reply(good, length=10_000_000_000, content_type=JPEG),
    "drip": lambda good: Reply(stream=pour(DRIP), content_type=JPEG),
    "drop": lambda good: Reply(drop=True),
    "drop-midway": lambda good: Reply(good[:500], length=len(good), content_type=JPEG),
    "noai": lambda good: Reply(good, headers={"X-Robots-Tag": "noai"}, content_type=JPEG),
    "noimageai": lambda good: Reply(
        good, headers={"X-Robots-Tag": "noindex, noimageai"}, content_type=JPEG
    ),
    "redirect-nowhere": lambda good: Reply(status=302),
}
_STATUSES = ("404", "403", "410", "500", "503", "429")

TROUBLES = (
    *(f"status-{status}" for status in _STATUSES),
    *("once-500", "once-429", "hang", "redirect-good", "redirect-loop"),
    *_BODIES,
    *_REDIRECTS,
)


class Trouble:
    """Answers `/trouble/KIND/NAME.jpg`; remembers which "once" has been asked before."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    async def answer(self, path: str) -> Reply:
        parts = path.split("/")
        kind = parts[2] if len(parts) > 2 else ""
        self._asked[path] += 1
        good = draw("trouble", zlib.crc32(path.encode()))
        if kind.startswith("once-") and self._asked[path] > 1:
            return Reply(good, content_type=JPEG)
        if kind.startswith(("once-", "status-")):
            return _status(kind)
        if kind in _REDIRECTS:
            return Reply(status=302, headers={"Location": _REDIRECTS[kind]})
        if kind == "redirect-loop":
            return Reply(status=301, headers={"Location": path})
        if kind == "redirect-good":
            number = zlib.crc32(path.encode()) % 100_000
            return Reply(status=302, headers={"Location": f"/drawn/trouble/{number}.jpg"})
        if kind == "hang":
            await asyncio.sleep(HANG)
        return _BODIES[kind](good) if kind in _BODIES else Reply(b"No such trouble", 404)


def _status(kind: str) -> Reply:
    status = int(kind.split("-")[1])
    return Reply(HTML, status, headers={"Retry-After": "1"} if status == 429 else {})


def _reopened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg))


def _encoded(image: Image.Image, kind: str) -> bytes:
    target = io.BytesIO()
    image.save(target, kind)
    return target.getvalue()
