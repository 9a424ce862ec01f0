"""Large photos as cameras and programs save them, made of small ones: the content is a photo's own.

Each is enlarged, or cut from a collage of several, sharpened and given a sensor's noise; then it is
saved turned, in another colour space or in another format, as its number says.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageFilter

from kezako.pictures import ORIENTATION, TURNS
from tests import profiles

SIDES = (1100, 4000)  # pixels of the longest side, from and up to
WAYS = ("jpeg",) * 6 + ("Adobe RGB", "Display P3", "png", "webp")
PROFILES = {"Adobe RGB": profiles.adobe_rgb, "Display P3": profiles.display_p3}
# Kept upside down or lying; orientations 5 and 7 are their own inverse, 6 and 8 each other's.
INVERSE = {**TURNS, 6: TURNS[8], 8: TURNS[6]}
PIECES = 3  # a side of a collage
NOISE = 3.0  # standard deviation of the brightness, in levels


def taken(number: int, small: Sequence[Path], longest: int | None = None) -> tuple[str, bytes]:
    """The name and the bytes of large photo `number` (0, 1, ...) made of the photos `small`.

    Its longest side has `longest` pixels, else as many as the number says.
    """
    draw = random.Random(number)
    way = WAYS[number % len(WAYS)]
    image = _collage(draw, small) if number % 4 == 3 else _opened(draw.choice(small))
    side = longest or draw.randint(*SIDES)
    size = [max(2, round(edge * side / max(image.size))) for edge in image.size]
    return f"{number:03}.{'jpg' if way not in ('png', 'webp') else way}", _saved(
        _noisy(image.resize((size[0], size[1]), Image.Resampling.BICUBIC), number), way, number
    )


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _collage(draw: random.Random, small: Sequence[Path]) -> Image.Image:
    """A part of several photos side by side, so that edges fall anywhere."""
    side = 400
    whole = Image.new("RGB", (PIECES * side, PIECES * side))
    for place in range(PIECES**2):
        piece = _opened(draw.choice(small)).resize((side, side), Image.Resampling.BICUBIC)
        whole.paste(piece, (place % PIECES * side, place // PIECES * side))
    left, top = draw.randint(0, side), draw.randint(0, side)
    return whole.crop((left, top, left + draw.randint(side, 2 * side), top + 2 * side))


def _noisy(image: Image.Image, seed: int) -> Image.Image:
    sharp = np.asarray(image.filter(ImageFilter.UnsharpMask(3, 100, 0)), np.float32)
    noise = np.random.default_rng(seed).normal(0, NOISE, (*sharp.shape[:2], 1))
    return Image.fromarray(np.clip(sharp + noise, 0, 255).astype(np.uint8))


def _saved(image: Image.Image, way: str, number: int) -> bytes:
    kept: dict[str, Any] = {}
    if way in PROFILES:
        image, kept["icc_profile"] = _converted(image, way), PROFILES[way]()
    if way in ("png", "webp"):
        return _encoded(image, way.upper(), **({"quality": 95} if way == "webp" else {}))
    orientation = 1 + number // len(WAYS) % 8
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    if orientation in INVERSE:
        image = image.transpose(INVERSE[orientation])
    quality = 86 + number % 10
    return _encoded(image, "JPEG", quality=quality, subsampling="4:2:0", exif=exif, **kept)


def _encoded(image: Image.Image, format: str, **settings: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **settings)
    return file.getvalue()


def _converted(image: Image.Image, way: str) -> Image.Image:
    _to_profile(way).apply_in_place(image)
    return image


@cache
def _to_profile(way: str) -> ImageCms.ImageCmsTransform:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(PROFILES[way]()))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.ImageCmsTransform(srgb, profile, "RGB", "RGB")
