"""Classes that anybody tells apart, from few pictures: a beginner's first classifier."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastai.vision.all import Learner
from PIL import Image

from kezako.export.run import export
from kezako.model.bundle import Card, read_card
from kezako.model.classifier import Classifier
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.train.fit import fitting_callbacks
from kezako.train.quick import fit_head
from kezako.train.weights import Weights
from kezako.workspace import Workspace
from tests.cards import check_every_figure
from tests.clean.pictures import fill


@pytest.fixture(params=["single", pytest.param("multi", marks=pytest.mark.hosts)])
def easy(
    request: pytest.FixtureRequest,
    an_empty_workspace: Workspace,
    an_untrained_learner: Callable[[Recipe, Pictures], Learner],
    the_starter: Weights,
) -> tuple[Path, Pictures]:
    """The bundle of a quick fit on 50 pictures of each colour, and those pictures."""
    recipe = replace(fill(an_empty_workspace, each=50, task=request.param), image_size=64)
    pictures = Pictures(recipe, an_empty_workspace)
    learn = an_untrained_learner(recipe, pictures)
    learn.add_cbs(fitting_callbacks(learn))
    with learn.no_bar(), learn.no_logging():
        fit_head(learn, the_starter)
        learn.fine_tune(1, 1e-3, freeze_epochs=0)
    export(learn, recipe, an_empty_workspace, pictures, the_starter)
    return an_empty_workspace.bundle(recipe.name), pictures


@pytest.mark.slow
def test_an_easy_classifier_is_small_and_not_too_sure(easy: tuple[Path, Pictures]) -> None:
    bundle, pictures = easy
    card = read_card(bundle)
    assert card.figures["calibration"]["wrong"] == 0, "the colours are easy"
    assert card.precision == "int8"
    assert card.temperature >= 1
    assert card.figures["calibration"]["after"] > 0
    text = (bundle / "README.md").read_text("utf-8")
    assert "None of the 30 pictures got a wrong answer" in text
    assert "So few pictures tell little" in text
    classifier = Classifier.open(bundle)
    sure = [max(classifier.predict(blend).probabilities.values()) for blend in blends(pictures)]
    assert np.mean(np.array(sure) > 0.99) <= 0.1
    check_every_figure(card)
    check_passed(card, classifier, pictures)
    check_epochs(card, text)


def blends(pictures: Pictures, count: int = 40) -> Iterator[Image.Image]:
    """Pictures between two classes."""
    chance = np.random.default_rng(0)
    while count:
        first, second = chance.choice(np.array(pictures.valid), 2, replace=False)
        if first.parent != second.parent:
            yield Image.blend(Image.open(first), Image.open(second), chance.uniform(0.2, 0.8))
            count -= 1


def check_passed(card: Card, classifier: Classifier, pictures: Pictures) -> None:
    """Of 30 pictures the greatest distance is the limit, which the picture itself set."""
    batches = [classifier.prepare(path)[None] for path in pictures.valid]
    distances = [classifier.distance(classifier.run(batch)) for batch in batches]
    assert card.known == pytest.approx(max(distances), abs=1e-6)
    found = card.figures["none_of_these"]
    assert found["passed"] <= 29 / 30 + 1e-5, "judged by the others, the farthest does not pass"
    assert found["passed_interval"] == pytest.approx([0.884, 0.999], abs=1e-3)


def check_epochs(card: Card, text: str) -> None:
    (epoch,) = card.training["epochs"]
    assert {"train_loss", "valid_loss"} < set(epoch)
    assert re.search(r"was trained with fastai for 1 epoch at 64 px", text)
