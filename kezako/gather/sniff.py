"""What bytes and headers say about a picture, whatever its name and type claim."""

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
_ROBOT = re.compile(r"\*|[a-z][a-z0-9._-]*")  # a name; "25 jun 2026 15" of a date is none
# Before a colon, what is no directive is the name of a robot.
_DIRECTIVES = _FORBIDDEN | {
    "max-snippet", "max-image-preview", "max-video-preview", "unavailable_after",  # with a value
    "all", "none", "noindex", "nofollow", "noarchive", "nocache", "nosnippet", "noimageindex",
    "notranslate", "indexifembedded", "nositelinkssearchbox", "noodp", "noydir",
}  # fmt: skip


def is_picture(body: bytes | bytearray) -> bool:
    """Whether `body` begins like a picture that `open_picture` may be able to open."""
    head = bytes(body[:16])
    riff = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    heif = head[4:8] == b"ftyp"  # HEIC and AVIF; films too, which decoding sorts out
    pnm = head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace()
    return head.startswith(_BEGINNINGS) or riff or heif or pnm


def forbids_ai(
    headers: Iterable[str],  # each X-Robots-Tag of an answer
) -> str | None:
    """The words by which a site keeps its pictures from training, if they are meant for us.

    "otherbot: noai" is not: from a robot's name on, a header's words are for that robot only.
    "max-image-preview: large" names none.
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
