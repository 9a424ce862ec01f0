"""Two pictures of one photo fit each other; others do not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

from kezako.clean.copies import SAME
from kezako.clean.overlap import overlap, small
from tests.clean.pictures import a_scene


def recoloured(image: Image.Image) -> Image.Image:
    return Image.merge("RGB", [band.point(lambda v: 40 + v * 0.6) for band in image.split()])


def as_a_poor_jpeg(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.resize((160, 120)).save(file, "JPEG", quality=20)
    return Image.open(file)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "the same": lambda image: image,
    "a crop": lambda image: image.crop((60, 20, 270, 200)),
    "a mirrored crop": lambda image: ImageOps.mirror(image.crop((20, 10, 250, 220))),
    "other colours": recoloured,
    "a poor JPEG": as_a_poor_jpeg,
}


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_fits(kind: str) -> None:
    scene = a_scene(1)
    copy = small(COPIES[kind](scene))
    assert overlap(small(scene), copy) >= SAME
    assert overlap(copy, small(scene)) >= SAME


def test_other_scenes_do_not_fit() -> None:
    scenes = [small(a_scene(seed)) for seed in range(5)]
    found = [overlap(a, b) for i, a in enumerate(scenes) for b in scenes[:i]]
    assert max(found) < SAME - 0.2


def test_one_horizon_is_not_another() -> None:
    chance = np.random.default_rng(0)
    coasts = []
    for line in (100, 130):
        pixels = chance.normal(0, 4, (240, 320)) + np.where(np.arange(240) < line, 200, 90)[:, None]
        coasts.append(small(Image.fromarray(pixels.clip(0, 255).astype(np.uint8))))
    assert overlap(*coasts) < SAME - 0.2


@pytest.mark.parametrize("size", [(1, 1), (400, 3), (3, 400)])
def test_nothing_to_compare_is_no_copy(size: tuple[int, int]) -> None:
    blank = small(Image.new("RGB", size, "white"))
    assert overlap(blank, blank) == 0
    assert overlap(blank, small(a_scene(1))) == 0
