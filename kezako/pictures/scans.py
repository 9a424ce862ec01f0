"""How often a JPEG paints its picture: once a scan, and a few kilobytes can hold thousands."""

from __future__ import annotations

import math
import re
from typing import Any

from PIL import ImageFile

JPEG = ("JPEG", "MPO")
USUAL = 20  # scans; programs write a dozen
MAX_PAINTED = 1_000_000_000  # pixels x scans
MAX_SEGMENTS = 100_000  # of a JPEG that has more scans than usual
TIFF_PARTS = ((273, 279), (324, 325))  # tags of where strips or tiles lie, and of their sizes

_SCAN, _END = b"\xff\xda", b"\xff\xd9"
_BARE = (b"\xff\x01", b"\xff\xd8")  # markers that are no segment: they have no length
# Within coded pixels a byte FF is followed by 00 or by a restart's D0 to D7.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def paint_too_long(image: ImageFile.ImageFile, data: bytes) -> bool:
    """Whether decoding `data`, which `image` was opened from, could go on for minutes."""
    scans = _count(image, data)
    return scans > USUAL and scans * image.width * image.height > MAX_PAINTED


def _count(image: ImageFile.ImageFile, data: bytes) -> int:
    """How often a JPEG, also one inside a TIFF, paints all of its picture; 1 for other kinds."""
    jpeg = image.format in JPEG or str(image.info.get("compression")).endswith("jpeg")
    if not jpeg or data.count(_SCAN) <= USUAL:
        return 1
    if image.format in JPEG:
        return _between(data, 0, len(data))
    tags: Any = getattr(image, "tag_v2", {})
    places = [
        (start, start + size)
        for where, sizes in TIFF_PARTS
        for start, size in zip(_numbers(tags, where), _numbers(tags, sizes), strict=False)
    ]
    if not places or sum(end - start for start, end in places) > len(data):
        return data.count(_SCAN)  # parts that lie over one another, as no program writes them
    return math.ceil(sum(_between(data, *place) for place in places) / len(places))


def _numbers(tags: Any, tag: int) -> tuple[int, ...]:
    found = tags.get(tag, ())
    counts = isinstance(found, tuple) and all(isinstance(n, int) and n >= 0 for n in found)
    return found if counts else ()


def _between(data: bytes, start: int, end: int) -> int:
    """Of the one JPEG that begins at `start`: many phones append a film, whose bytes mean nothing.

    Follows its segments as libjpeg does, so that neither sees an end where the other does not.
    """
    scans = 0
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, start, end)
        if found is None or found[0] == _END:
            return scans
        scans += found[0] == _SCAN
        start = found.end()
        if found[0] not in _BARE:
            start += int.from_bytes(data[start : start + 2], "big")
    return MAX_SEGMENTS
