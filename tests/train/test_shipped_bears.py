"""The classifier that ships: stock fastai's `load_learner` and the page agree on 50 photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.bundle import EXPORT, read_card
from kezako.classifier import Classifier
from tests.train.test_export import stock_fastai

BEARS = Path(__file__).parents[2] / "models" / "bears"


def test_its_card_tells_an_error_for_each_class_and_how_it_was_trained() -> None:
    card = read_card(BEARS)
    assert card.labels == ("black", "grizzly", "teddy")
    assert set(card.figures["validation"]["error_by_class"]) == set(card.labels)
    # No worse than the model before it, on pictures of which neither learnt a copy.
    assert card.figures["validation"]["error"] <= card.figures["previous"]["error"]
    assert card.figures["none_of_these"]["auroc"] >= 0.95
    assert "starter weights" in card.training["weights"]


@pytest.mark.slow
def test_stock_fastai_and_the_page_agree_on_fifty_photos(
    some_photos: dict[str, list[Path]], tmp_path: Path
) -> None:
    photos = [path for paths in some_photos.values() for path in paths[:17]][:50]
    classifier = Classifier.open(BEARS)
    exact = classifier.card.precision == "fp32"
    same = 0
    for photo, theirs in zip(photos, stock_fastai(BEARS / EXPORT, photos, tmp_path), strict=True):
        ours = classifier.predict(photo).probabilities
        assert all(abs(ours[label] - theirs[label]) < (1e-3 if exact else 0.15) for label in ours)
        same += max(theirs, key=lambda label: theirs[label]) == next(iter(ours))
    assert same >= (50 if exact else 49)
