"""Look at bytes and headers instead of trusting a picture's name and type."""

from __future__ import annotations

import re
from collections.abc import Iterable

_BEGINNINGS = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\x00",  # TIFF
    b"MM\x00*",
)
_FORBIDDEN = {"noai", "noimageai"}
_OURS = {"*", "kezako"}
_ROBOT = re.compile(r"\*|[a-z][a-z0-9._-]*")  # a robot's name; not "25 jun 2026 15" from a date
# Before a colon, anything that is not a directive is a robot's name.
_DIRECTIVES = _FORBIDDEN | {
    "max-snippet", "max-image-preview", "max-video-preview", "unavailable_after",  # with a value
    "all", "none", "noindex", "nofollow", "noarchive", "nocache", "nosnippet", "noimageindex",
    "notranslate", "indexifembedded", "nositelinkssearchbox", "noodp", "noydir",
}  # fmt: skip


def is_picture(body: bytes | bytearray) -> bool:
    """Whether `body` starts like a format that `open_picture` may be able to open."""
    head = bytes(body[:16])
    riff = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    heif = head[4:8] == b"ftyp"  # HEIC and AVIF; videos, too, which fail when decoded
    pnm = head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace()
    return head.startswith(_BEGINNINGS) or riff or heif or pnm


def forbids_ai(
    headers: Iterable[str],  # all X-Robots-Tag headers of a response
) -> str | None:
    """The directive that forbids us AI training with a site's pictures; None if there is none.

    In "otherbot: noai" the directives after a robot's name are for that robot only.
    "max-image-preview: large" names no robot.
    """
    for header in headers:
        robot = "*"
        for part in re.split("[,;]", header.lower()):
            name, colon, _ = part.partition(":")
            name = name.strip().split("/")[0]  # without its version
            if colon and name not in _DIRECTIVES and _ROBOT.fullmatch(name):
                robot = name
            found = _FORBIDDEN & set(part.replace(":", " ").split())
            if found and robot in _OURS:
                return min(found)
    return None
