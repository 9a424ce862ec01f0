"""Pictures a visitor might send, drawn here or taken from the folder of photos."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pillow_heif import register_heif_opener

register_heif_opener()

RED = (210, 30, 30)
PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", Path(__file__).parents[3] / "shared" / "photos"))


def drawn(
    format: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (120, 80), **settings: Any
) -> bytes:
    """The bytes of a plain red picture."""
    return encoded(Image.new("RGB", size, RED).convert(mode), format, **settings)


def encoded(image: Image.Image, format: str, **settings: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **settings)
    return file.getvalue()


def same_pixels(one: Image.Image, other: Image.Image) -> bool:
    return np.array_equal(np.asarray(one), np.asarray(other))


def sixteen_bit() -> bytes:
    """A grey PNG of 16 bits a pixel."""
    image = Image.new("I;16", (90, 60))
    image.putdata([700 * (x % 90) for x in range(90 * 60)])
    return encoded(image, "PNG")


def animated() -> bytes:
    """A GIF whose first frame is red, and whose second is blue."""
    blue = Image.new("RGB", (60, 60), (20, 20, 220))
    return drawn("GIF", size=(60, 60), save_all=True, append_images=[blue], duration=100)


def lying() -> bytes:
    """A phone's photo: stored 120 × 80, to be shown upright, 80 × 120, by EXIF orientation 6."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return drawn(exif=exif)


def noise(megabytes: int) -> bytes:
    """A PNG that cannot be made smaller."""
    side = int((megabytes * 1_000_000 / 3) ** 0.5)
    return encoded(Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)), "PNG")


def huge() -> bytes:
    """A small file that would be 900 megapixels."""
    return encoded(Image.new("1", (30_000, 30_000)), "PNG", compress_level=1)
