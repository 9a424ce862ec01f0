"""Count a JPEG's scans: each one decodes the whole picture, and a few KB can hold thousands."""

from __future__ import annotations

import math
import re
from typing import Any

from PIL import ImageFile

JPEG = ("JPEG", "MPO")
USUAL = 20  # scans; programs write about a dozen
MAX_PAINTED = 1_000_000_000  # pixels x scans
MAX_SEGMENTS = 100_000  # in a JPEG that has more scans than usual
TIFF_PARTS = ((273, 279), (324, 325))  # tags of the offsets and the sizes of strips or tiles

_SCAN, _END = b"\xff\xda", b"\xff\xd9"
_BARE = (b"\xff\x01", b"\xff\xd8")  # markers without a length
# In compressed data, a byte FF is followed by 00 or by a restart marker, D0 to D7.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def paint_too_long(image: ImageFile.ImageFile, data: bytes) -> bool:
    """Whether decoding `data`, from which `image` was opened, could take minutes."""
    scans = _count(image, data)
    return scans > USUAL and scans * image.width * image.height > MAX_PAINTED


def _count(image: ImageFile.ImageFile, data: bytes) -> int:
    """The number of scans of a JPEG, also inside a TIFF, over the whole picture; 1 for others."""
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
        return data.count(_SCAN)  # overlapping parts, which no program writes
    return math.ceil(sum(_between(data, *place) for place in places) / len(places))


def _numbers(tags: Any, tag: int) -> tuple[int, ...]:
    found = tags.get(tag, ())
    counts = isinstance(found, tuple) and all(isinstance(n, int) and n >= 0 for n in found)
    return found if counts else ()


def _between(data: bytes, start: int, end: int) -> int:
    """Scans of the JPEG that starts at `start`: many phones append a video, which is not counted.

    It follows the segments as libjpeg does, so that both see the same end.
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
