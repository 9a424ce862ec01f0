"""Pictures of something else are not trained on, and set the limit of "none of these"."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastai.torch_core import set_seed
from PIL import Image

from kezako.export import run as exporting
from kezako.gather import adopt
from kezako.model.classifier import Classifier
from kezako.recipe import SOMETHING_ELSE, Recipe
from kezako.train.dataset import Pictures
from kezako.train.fit import fitting_callbacks
from kezako.train.quick import fit_head
from kezako.train.weights import Weights
from kezako.workspace import Workspace
from tests.cards import check_every_figure
from tests.clean.pictures import as_jpeg, fill

WANTED = 8  # pictures of something else; at least five set the limit


def blends(pictures: Pictures, count: int = 2000) -> Iterator[bytes]:
    """Pictures between two classes, from hardly to half, in any order."""
    chance = np.random.default_rng(0)
    for share in chance.uniform(0.02, 0.5, count):
        first, second = chance.choice(np.array(pictures.train), 2, replace=False)
        yield as_jpeg(Image.blend(Image.open(first), Image.open(second), share))


def distance(classifier: Classifier, picture: Path | bytes) -> float:
    return classifier.distance(classifier.run(classifier.prepare(picture)[None]))


@pytest.mark.slow
def test_they_tighten_the_limit_of_none_of_these(
    an_empty_workspace: Workspace,
    an_untrained_learner: Callable[[Recipe, Pictures], Any],
    the_starter: Weights,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_seed(0)  # or it would depend on the tests before
    monkeypatch.setattr(exporting, "FP32_LAYERS", ())  # no int8: it is not the subject
    recipe = replace(fill(an_empty_workspace, each=30), image_size=64)
    pictures = Pictures(recipe, an_empty_workspace)
    learn = an_untrained_learner(recipe, pictures)
    learn.add_cbs(fitting_callbacks(learn))
    with learn.no_bar(), learn.no_logging():
        fit_head(learn, the_starter)

    def export(pictures: Pictures) -> Classifier:
        exporting.export(learn, recipe, an_empty_workspace, pictures, the_starter)
        return Classifier.open(an_empty_workspace.bundle(recipe.name))

    before = export(pictures)
    known = sorted(distance(before, path) for path in pictures.valid)
    assert before.card.known == pytest.approx(known[-1], abs=1e-5)
    assert "something_else" not in before.card.figures["none_of_these"]

    # What the page takes for a class by mistake, as visitors would send it back.
    tightest = float(np.quantile(known, 0.9, method="weibull"))
    between = (
        blend
        for blend in blends(pictures)
        if tightest + 1e-3 < distance(before, blend) < known[-1] - 1e-3
    )
    mistaken = list(islice(between, WANTED))
    assert len(mistaken) >= WANTED, "or this test says nothing"
    folder = an_empty_workspace.pictures(recipe.name) / SOMETHING_ELSE
    folder.mkdir()
    for blend in mistaken:
        (folder / f"{hashlib.sha256(blend).hexdigest()}.jpg").write_bytes(blend)
    assert adopt(recipe, an_empty_workspace).something_else == WANTED

    more = Pictures(recipe, an_empty_workspace)
    assert len(more.something_else) == WANTED
    assert (more.counts(), len(more.paths)) == (pictures.counts(), 90)
    learn.dls = an_untrained_learner(recipe, more).dls  # the first links are gone
    after = export(more)
    assert after.card.labels == before.card.labels
    assert tightest - 1e-3 <= (after.card.known or 0) < known[-1]
    answers = [after.predict(path) for path in more.something_else]
    assert not any(answer.known for answer in answers)
    lost = sum(not after.predict(path).known for path in more.valid)
    assert lost <= 0.1 * (len(more.valid) + 1)
    check_card(after)


def check_card(classifier: Classifier) -> None:
    card = classifier.card
    check_every_figure(card)
    found = card.figures["none_of_these"]["something_else"]
    assert (found["pictures"], found["tightened"]) == (WANTED, True)
    assert found["refused"] > 0.5, "judged by the limit of the others"
    assert SOMETHING_ELSE not in card.training["pictures"]
