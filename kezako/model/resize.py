"""How a picture is cropped and scaled for the model, equal to fastai's validation transforms.

`resized` applies the steps; `seen` gives the part of the picture that the model's view covers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from PIL import Image

from kezako.model.bundle import Way

Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom, in pixels
Padding: TypeAlias = Literal["constant", "edge", "reflect"]  # as in `np.pad`; constant is black

LARGEST = 100_000_000  # pixels of a padded square: a long thin photo could need all memory


def resized(image: Image.Image, ways: Sequence[tuple[Way, int]]) -> Image.Image:
    """`image` after all `ways`, each with the pixels a side of its output."""
    for way, size in ways:
        image = RESIZE[way](image, size)
    return image


def seen(ways: Sequence[tuple[Way, int]], width: int, height: int) -> Box:
    """The part of a `width` x `height` picture that the model's square shows after all `ways`.

    Where the picture was padded, the box reaches beyond it.
    """
    boxes: list[tuple[Box, int]] = []
    for way, size in ways:
        boxes.append((_seen(way, size, width, height), size))
        width = height = size
    left, top, right, bottom = 0.0, 0.0, float(width), float(height)
    for (start, upper, end, lower), size in reversed(boxes):
        across, down = (end - start) / size, (lower - upper) / size
        left, right = start + left * across, start + right * across
        top, bottom = upper + top * down, upper + bottom * down
    return left, top, right, bottom


def _seen(way: Way, size: int, width: int, height: int) -> Box:
    if way == "squish":
        return 0, 0, width, height
    if way == "random-crop":
        whole, margin = _enlarged(size)
        across, down = width * margin / whole, height * margin / whole
        return across, down, width - across, height - down
    if way.startswith("center-crop"):
        start, upper = (width - size) // 2, (height - size) // 2
        return start, upper, start + size, upper + size
    side = min(width, height) if way == "crop" else max(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _squish(image: Image.Image, size: int) -> Image.Image:
    return image.resize((size, size), Image.Resampling.BILINEAR)


def _crop(image: Image.Image, size: int) -> Image.Image:
    width, height = image.size
    side = max(1, int(min(width / size, height / size) * size))
    left, top = int(0.5 * (width - side)), int(0.5 * (height - side))
    return _squish(image.crop((left, top, left + side, top + side)), size)


def _padded(padding: Padding) -> Callable[[Image.Image, int], Image.Image]:
    def pad(image: Image.Image, size: int) -> Image.Image:
        if (longest := max(image.size)) ** 2 > LARGEST:
            image = image.reduce(math.ceil(longest / math.isqrt(LARGEST)))
        width, height = image.size
        side = int(max(width / size, height / size) * size)
        left, top = int(0.5 * (width - side)), int(0.5 * (height - side))
        return _squish(_cut(image, left, top, side, padding), size)

    return pad


def _centered(padding: Padding) -> Callable[[Image.Image, int], Image.Image]:
    def cut(image: Image.Image, size: int) -> Image.Image:
        width, height = image.size
        return _cut(image, (width - size) // 2, (height - size) // 2, size, padding)

    return cut


def _cut(image: Image.Image, left: int, top: int, side: int, padding: Padding) -> Image.Image:
    """The square from (`left`, `top`), with `padding` where it reaches beyond the picture."""
    width, height = image.size
    right, bottom = left + side, top + side
    # The side of a padded square is rounded down, so it can be a pixel less than the longest side:
    # that pixel is cropped.
    image = image.crop((max(left, 0), max(top, 0), min(right, width), min(bottom, height)))
    around: Any = (
        (max(-top, 0), max(bottom - height, 0)),
        (max(-left, 0), max(right - width, 0)),
        (0, 0),
    )
    pixels = np.asarray(image)
    if not any(sum(edge) for edge in around):
        return image
    return Image.fromarray(np.pad(pixels, around[: pixels.ndim], mode=padding))


def _random_crop(image: Image.Image, size: int) -> Image.Image:
    whole, margin = _enlarged(size)
    image = _squish(image, whole)
    return image.crop((margin, margin, margin + size, margin + size))


def _enlarged(size: int) -> tuple[int, int]:
    # On validation pictures RandomResizedCrop squishes to a slightly larger size, then crops the
    # middle.
    extra = math.ceil(size * 0.14 / 8) * 8
    return size + extra, extra // 2


RESIZE: Mapping[Way, Callable[[Image.Image, int], Image.Image]] = {
    "squish": _squish,
    "crop": _crop,
    "random-crop": _random_crop,
    "pad": _padded("reflect"),
    "pad-zeros": _padded("constant"),
    "pad-border": _padded("edge"),
    "center-crop": _centered("constant"),
    "center-crop-border": _centered("edge"),
    "center-crop-reflection": _centered("reflect"),
}
