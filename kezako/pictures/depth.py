"""Convert pictures with more than 8 bits per channel to 8 bits, at the right brightness.

Scanners, microscopes and raw converters store 10, 12 or 14 bits in 16-bit files. The file does not
say so, and read as 16 bits such a picture is almost black. So the bit depth is taken from the
largest value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageFile

# PIL's raw modes of 16 bits, of which it reads the high byte -> raw modes that read the low byte.
_OTHER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_LOWER = {
    f"{colours};16{order}": f"{colours};16{_OTHER[order]}"
    for colours in ("RGB", "RGBA", "RGBX")
    for order in _OTHER
} | {"LA;16B": "RGBA"}  # four bytes per pixel: grey high, grey low, alpha high, alpha low


def to_8_bit(image: Image.Image) -> Image.Image:
    """Convert a grey picture of integers (mode I) or floats (mode F) to mode L."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        values = np.where(np.isfinite(values), values, np.float32(0))
        top = float(values.max())
    else:
        # At least 8 bits: a dark 8-bit picture stays dark.
        top = 2.0 ** max(8, int(values.max()).bit_length()) - 1
    # PIL's own conversion clips at 255, which makes a 16-bit picture white.
    scaled = np.clip(values * np.float32(255 / max(top, 1e-9)), 0, 255)
    return Image.fromarray(scaled.astype(np.uint8), "L")


def raw_mode(image: ImageFile.ImageFile) -> str:
    """PIL's raw mode of a file's pixels; call it before they are loaded."""
    arguments = image.tile[0].args if image.tile else None
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def read_as(image: ImageFile.ImageFile, raw: str) -> None:
    """Set another raw mode for a file that is not loaded yet."""
    image.tile = [
        tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw)
        for tile in image.tile
    ]


def brighten(
    image: Image.Image,
    raw: str,  # its `raw_mode`
    read: Callable[[str], Image.Image],  # reads the file again, in another raw mode
) -> Image.Image:
    """Scale 16-bit channels, of which PIL has read the high bytes, to their true depth."""
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
