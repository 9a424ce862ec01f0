"""Pictures of more than 8 bits a colour -> 8 bits, as bright as they are meant.

Scanners, microscopes and raw converters store 10, 12 or 14 bits in files of 16. Nothing in the file
says so, and read as 16 bits such a picture is all but black: its depth is what its largest value
needs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageFile

# What PIL calls 16-bit colours, of which it keeps the higher byte -> how it reads the lower one.
_OTHER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_LOWER = {
    f"{colours};16{order}": f"{colours};16{_OTHER[order]}"
    for colours in ("RGB", "RGBA", "RGBX")
    for order in _OTHER
} | {"LA;16B": "RGBA"}  # four bytes a pixel: grey, its lower byte, alpha, its lower byte


def to_8_bit(image: Image.Image) -> Image.Image:
    """A grey picture of whole numbers (mode I) or fractions (mode F) as L."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        values = np.where(np.isfinite(values), values, np.float32(0))
        top = float(values.max())
    else:
        top = 2.0 ** max(8, int(values.max()).bit_length()) - 1  # 8: a dark one is only dark
    # PIL's own conversion clips at 255, which turns a 16-bit picture white.
    scaled = np.clip(values * np.float32(255 / max(top, 1e-9)), 0, 255)
    return Image.fromarray(scaled.astype(np.uint8), "L")


def raw_mode(image: ImageFile.ImageFile) -> str:
    """How the pixels of a file lie in it, in PIL's words; asked before they are read."""
    arguments = image.tile[0].args if image.tile else None
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def read_as(image: ImageFile.ImageFile, raw: str) -> None:
    """Let a file that is not yet read be read in another raw mode."""
    image.tile = [
        tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw)
        for tile in image.tile
    ]


def brighten(
    image: Image.Image,
    raw: str,  # its `raw_mode`
    read: Callable[[str], Image.Image],  # the file again, in another raw mode
) -> Image.Image:
    """A picture of 16-bit colours, of which PIL has read the higher bytes, at its true depth."""
    if raw not in _LOWER:
        return image
    high = image.split()[:3]
    top = max(int(band.getextrema()[1]) for band in high)  # type: ignore[arg-type]
    shift = 8 - top.bit_length()
    if not shift:
        return image
    low = read(_LOWER[raw]).split()
    low = (low[1],) * 3 if raw == "LA;16B" else low[:3]
    raised = [byte << shift & 255 for byte in range(256)]
    added = [byte >> (8 - shift) for byte in range(256)]
    bands = [
        ImageChops.add(higher.point(raised), lower.point(added))
        for higher, lower in zip(high, low, strict=True)
    ]
    return Image.merge(image.mode, [*bands, *image.split()[3:]])
