"""What bytes and headers say about a picture, whatever its name and type claim."""

from __future__ import annotations

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

    "otherbot: noai" is not: from its name on, a header's words are for that robot only.
    """
    for header in headers:
        agent = "*"
        for part in header.lower().split(","):
            name, colon, word = part.partition(":")
            if colon:
                agent = name.strip()
            directive = (word if colon else name).strip()
            if agent in _OURS and directive in _FORBIDDEN:
                return directive
    return None
