"""The classifier that ships: stock fastai's `load_learner` and the page agree on 50 photos."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kezako.export.card import words_in
from kezako.gather.sample import draw_face
from kezako.model.bundle import COVER, EXPORT, read_bundle, read_card
from kezako.model.classifier import Classifier
from kezako.pictures import NotAPicture
from kezako.recipe import load_recipe
from tests.conftest import PHOTOS
from tests.train.test_export import stock_fastai

BEARS = Path(__file__).parents[2] / "models" / "bears"


def test_its_card_tells_an_error_for_each_class_and_how_it_was_trained() -> None:
    card = read_card(BEARS)
    assert card.labels == ("black", "grizzly", "teddy")
    assert set(card.figures["validation"]["error_by_class"]) == set(card.labels)
    assert "starter weights" in card.training["weights"]


def test_people_read_the_names_of_the_recipe_and_a_link_shows_a_cover() -> None:
    card, files = read_bundle(BEARS, lambda card: [COVER])
    recipe = load_recipe(BEARS.parents[1] / "data" / "bears" / "recipe.toml")
    assert {name: getattr(card, name) for name in words_in(recipe)} == words_in(recipe)
    assert [*map(card.name_of, card.labels)] == ["black bear", "grizzly bear", "teddy bear"]
    assert Image.open(io.BytesIO(files[COVER])).size == (1200, 630)
    assert not card.examples, "its pictures have no licence"


def test_it_knows_photos_of_bears_from_what_it_never_saw(
    some_photos: dict[str, list[Path]],
) -> None:
    """Asked, not read from its card; without the photographs, of drawn faces alone."""
    classifier = Classifier.open(BEARS)
    drawn = [classifier.predict(draw_face(mood, n)).known for mood in ("happy", "sad")
             for n in range(20)]  # fmt: skip
    assert np.mean(drawn) <= 0.3  # round and yellow, as some teddies are
    if set(some_photos) != set(classifier.card.labels):
        return
    answers = {
        path: classifier.predict(path) for photos in some_photos.values() for path in photos[::24]
    }
    right = [next(iter(each.probabilities)) == path.parent.name for path, each in answers.items()]
    assert np.mean(right) >= 0.85  # many of them it has learnt
    assert np.mean([each.known for each in answers.values()]) >= 0.9
    assert np.mean(others(classifier)) <= 0.15


def others(classifier: Classifier) -> list[bool]:
    """Whether each of some photographs of other things passes as a bear."""
    found = []
    for path in sorted((PHOTOS / "other").glob("*"))[::12]:
        try:
            found.append(classifier.predict(path).known)
        except NotAPicture:
            continue
    return found


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
