"""Scenes with detail of many sizes, as photographs have, and copies of them as programs make."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from tests.gather.saved import encoded


def scene(number: int, side: int = 320) -> Image.Image:
    """A picture that is near to no other."""
    chance = np.random.default_rng([7, number])
    pixels = np.zeros((side * 3 // 4, side, 3))
    for cells in (3, 6, 12, 24):
        noise = chance.uniform(0, 255, (cells * 3 // 4, cells, 3)).astype(np.uint8)
        layer = Image.fromarray(noise).resize((side, side * 3 // 4), Image.Resampling.BICUBIC)
        pixels += np.asarray(layer) / 4
    return Image.fromarray(pixels.astype(np.uint8))


def as_jpeg(image: Image.Image, quality: int = 88) -> bytes:
    return encoded(image, "JPEG", quality=quality)


def turned(image: Image.Image, angle: float) -> Image.Image:
    """As augmentation does: of the same size, with black corners."""
    return image.rotate(angle, Image.Resampling.BILINEAR)


def film(frames: int, seed: int = 0) -> list[Image.Image]:
    """Frames of a webcam: one background, and something that moves a little each time."""
    background = scene(1000 + seed)
    shot = []
    for number in range(frames):
        frame = background.copy()
        x, y = 30 + 5 * number, 60 + 3 * number
        ImageDraw.Draw(frame).ellipse((x, y, x + 60, y + 60), fill=(200, 120, 90))
        shot.append(frame)
    return shot
