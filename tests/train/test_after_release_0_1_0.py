"""A training after one by release 0.1.0: its card tells of that model what both say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kezako.export.card import model_card
from kezako.export.crossfit import unseen_answers
from kezako.export.evaluation import previous, score
from kezako.model.classifier import Classifier
from tests.cards import a_measured_card

ROOT = Path(__file__).parents[1] / "release_0_1_0"


@pytest.mark.parametrize(
    ("name", "interval", "told"),
    [
        ("smileys", pytest.approx([0.18762, 0.81238], abs=1e-4), "50.0 % (18.8 to 81.2 %) of 6"),
        ("shapes", None, "0.0 % of 4"),  # how many of its answers may be wrong, it did not say
    ],
)
def test_the_model_before_is_asked_and_its_own_card_is_quoted(
    name: str, interval: object, told: str
) -> None:
    classifier = Classifier.open(ROOT / "models" / name)
    labels, multi = classifier.card.labels, classifier.card.task == "multi"
    paths = sorted((ROOT / "saved").glob("*/*-?.png"))
    shown = np.arange(len(paths)) % len(labels)
    targets = np.eye(len(labels), dtype=np.int64)[shown] if multi else shown.astype(np.int64)
    raw = score(classifier, paths).logits.astype(np.float64) * classifier.card.temperature
    found = previous(
        ROOT / "models" / name, labels, paths, targets, unseen_answers(raw, targets, multi)
    )
    assert found is not None
    assert found["gained"] == 0  # it is the same model
    assert found["error_on_its_own_card_interval"] == interval
    assert found["finished"] == classifier.card.training["finished"]
    new = a_measured_card(multi=multi)
    text = model_card(a_measured_card(multi=multi, figures={**new.figures, "previous": found}))
    assert f"its own card said {told}." in text
