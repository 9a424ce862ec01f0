"""Measure pixels alone: how sharp a picture is, and how much it looks like a drawing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from kezako.pictures import shrink

SIDE = 256  # pixels of the longest side: sharp at this size is sharp enough for a model
PALETTE = 12  # colours, of 4096, that hold nearly all of a drawing and half of a photo
# Levels of 255 between neighbouring pixels: at most for a flat area, more for a hard line.
NEAR, FAR = 3, 60
GROUND = 24  # levels of 255; colours this close to the most common one are background


class Look(NamedTuple):
    """Two measurements of a picture."""

    sharpness: float  # variance of the Laplacian: photos 150 to 7000, out of focus below 20
    drawn: float  # photos up to 0.06, drawings and texts from 0.11


def look_at(image: Image.Image) -> Look:
    """Measure one RGB picture; takes a few milliseconds."""
    pixels = np.asarray(shrink(image, SIDE), dtype=np.int16)  # (H, W, 3)
    if min(pixels.shape[:2]) < 3:
        return Look(0.0, 0.0)
    return Look(_sharpness(pixels.mean(axis=2)), _drawn(pixels))


def _sharpness(grey: npt.NDArray[np.float64]) -> float:
    middle = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((4 * middle - around).var())


def _drawn(pixels: npt.NDArray[np.int16]) -> float:
    """Share of flat areas and hard lines, in few colours; the background does not count.

    A toy in front of a white wall has a flat background but no flat fur; a blurred photo is flat
    but has no hard lines.
    """
    coarse = pixels >> 4  # 16 levels a channel
    code = (coarse[..., 0] << 8) | (coarse[..., 1] << 4) | coarse[..., 2]  # (H, W)
    commonest = int(np.bincount(code.ravel()).argmax())
    ground = np.array([commonest >> 8, (commonest >> 4) & 15, commonest & 15]) * 16 + 8
    inner = np.abs(pixels - ground).max(axis=2) > GROUND  # (H, W)
    corner = inner[:-1, :-1]
    if corner.sum() < 0.01 * corner.size:
        return 0.0
    here = pixels[:-1, :-1]
    steps = np.maximum(np.abs(pixels[:-1, 1:] - here), np.abs(pixels[1:, :-1] - here)).max(axis=2)
    flat, hard = (steps[corner] <= NEAR).mean(), (steps[corner] > FAR).mean()
    colours = np.sort(np.bincount(code[inner]))[-PALETTE:].sum() / inner.sum()
    return float(np.sqrt(flat * hard) * colours)
