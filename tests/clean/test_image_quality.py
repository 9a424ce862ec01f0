"""Sharp or blurred, photo or drawing: on pictures made for it, and on real ones where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from kezako.clean.checks import PHOTO
from kezako.clean.image_quality import look_at
from tests.needs import PHOTOS, needs


@pytest.fixture
def a_scene() -> Image.Image:
    """Texture at every scale, as photographs have it."""
    chance = np.random.default_rng(3)
    layers = [
        np.asarray(
            Image.fromarray(chance.integers(0, 255, (side, side, 3), dtype=np.uint8)).resize(
                (256, 256), Image.Resampling.BICUBIC
            ),
            dtype=float,
        )
        for side in (4, 16, 64, 256)
    ]
    return Image.fromarray(np.average(layers, axis=0, weights=[5, 3, 2, 1]).astype(np.uint8))


@pytest.fixture
def a_cartoon() -> Image.Image:
    """Flat colours and hard lines on white."""
    image = Image.new("RGB", (256, 256), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 30, 210, 230), fill=(200, 150, 90), outline="black", width=6)
    for x in (80, 140):
        draw.ellipse((x, 80, x + 30, 110), fill="white", outline="black", width=5)
    for y in range(130, 200, 16):
        draw.line((80, y, 170, y), fill="black", width=5)
    return image


def test_blur_lowers_sharpness(a_scene: Image.Image) -> None:
    blurred = a_scene.filter(ImageFilter.GaussianBlur(4))
    assert look_at(blurred).sharpness < look_at(a_scene).sharpness / 20


def test_a_cartoon_looks_drawn_and_a_scene_does_not(
    a_cartoon: Image.Image, a_scene: Image.Image
) -> None:
    assert look_at(a_cartoon).drawn > 2 * PHOTO
    assert look_at(a_scene).drawn < PHOTO / 2


def test_a_plain_background_is_not_drawn(a_scene: Image.Image) -> None:
    before_white = Image.new("RGB", (400, 400), "white")
    before_white.paste(a_scene.resize((150, 150)), (120, 120))
    assert look_at(before_white).drawn < PHOTO


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (300, 3)])
def test_odd_sizes_and_empty_pictures_are_measured(size: tuple[int, int]) -> None:
    assert look_at(Image.new("RGB", size)) == (0, 0)


def test_photographs_are_rarely_taken_for_drawings(some_photos: dict[str, list[Path]]) -> None:
    needs(PHOTOS, "grizzly" in some_photos)
    drawn = [look_at(Image.open(path).convert("RGB")).drawn for path in some_photos["grizzly"][:60]]
    assert np.mean(np.array(drawn) > PHOTO) <= 0.1
