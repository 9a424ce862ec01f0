"""The classifier that ships says why: the heat lies on what is in the picture, not beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kezako.model.classifier import Classifier
from kezako.pictures import open_picture

BEARS = Path(__file__).parents[2] / "models" / "bears"
GREY = (124, 116, 104)  # the mean colour: as if nothing were there
SIDE = 400


@pytest.fixture(scope="module")
def bears() -> Classifier:
    return Classifier.open(BEARS, threads=1)


def in_a_quarter(photo: Path, across: int, down: int) -> Image.Image:
    """The photo in one quarter of a plain grey picture."""
    whole = Image.new("RGB", (SIDE, SIDE), GREY)
    half = SIDE // 2
    whole.paste(open_picture(photo).resize((half, half)), (across * half, down * half))
    return whole


def test_the_heat_lies_on_the_photo_and_not_on_the_grey_beside_it(
    bears: Classifier, some_photos: dict[str, list[Path]]
) -> None:
    shares, right = [], 0
    for number, photo in enumerate(path for paths in some_photos.values() for path in paths[:4]):
        across, down = number % 2, number // 2 % 2
        scores = bears.run(bears.prepare(in_a_quarter(photo, across, down))[None])
        heat = bears.why(scores, next(iter(bears.answer(scores).probabilities)))
        assert heat is not None
        half = heat.shape[0] // 2
        quarters = heat[: 2 * half, : 2 * half].reshape(2, half, 2, half).sum(axis=(1, 3))
        shares.append(quarters[down, across] / quarters.sum())
        right += int(np.argmax(quarters) == 2 * down + across)
    assert right >= len(shares) - 2
    assert np.mean(shares) > 0.5  # chance: 0.25
