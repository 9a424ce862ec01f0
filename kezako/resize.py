"""How a picture is cut and scaled for the model, equal to fastai's validation transforms.

`RESIZE` does it; `seen` says which part of the picture the model's view covers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from kezako.recipe import Resize

Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom, in pixels


def seen(method: Resize, size: int, width: int, height: int) -> Box:
    """The part of a `width` x `height` picture that the model's square of `size` shows.

    With "pad" it reaches beyond the picture, where the model saw its mirror image.
    """
    if method == "squish":
        return 0, 0, width, height
    if method == "random-crop":
        whole, margin = _enlarged(size)
        across, down = width * margin / whole, height * margin / whole
        return across, down, width - across, height - down
    side = min(width, height) if method == "crop" else max(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _squish(image: Image.Image, size: int) -> Image.Image:
    return image.resize((size, size), Image.Resampling.BILINEAR)


def _crop(image: Image.Image, size: int) -> Image.Image:
    width, height = image.size
    side = max(1, int(min(width / size, height / size) * size))
    left, top = int(0.5 * (width - side)), int(0.5 * (height - side))
    return _squish(image.crop((left, top, left + side, top + side)), size)


def _pad(image: Image.Image, size: int) -> Image.Image:
    width, height = image.size
    side = int(max(width / size, height / size) * size)
    left, top = -int(0.5 * (width - side)), -int(0.5 * (height - side))
    # side rounds down, so it can lie a pixel under the longest side: that pixel is cut.
    image = image.crop((0, 0, min(width, side), min(height, side)))
    width, height = image.size
    around: Any = ((top, side - height - top), (left, side - width - left), (0, 0))
    pixels = np.asarray(image)
    return _squish(Image.fromarray(np.pad(pixels, around[: pixels.ndim], mode="reflect")), size)


def _random_crop(image: Image.Image, size: int) -> Image.Image:
    whole, margin = _enlarged(size)
    image = _squish(image, whole)
    return image.crop((margin, margin, margin + size, margin + size))


def _enlarged(size: int) -> tuple[int, int]:
    # On validation pictures RandomResizedCrop squishes to a little more, then cuts the middle.
    extra = math.ceil(size * 0.14 / 8) * 8
    return size + extra, extra // 2


RESIZE: Mapping[str, Callable[[Image.Image, int], Image.Image]] = {
    "squish": _squish,
    "crop": _crop,
    "pad": _pad,
    "random-crop": _random_crop,
}
