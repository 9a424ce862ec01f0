"""One rule from logits to names: what a figure counts as an answer is what the page says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kezako.export.evaluation import compare
from kezako.model.bundle import read_card, write_card
from kezako.model.classifier import Classifier, Scores
from kezako.model.decision import named, probabilities, thresholds_of

LABELS = ("red", "green", "blue")


def test_probabilities_of_several_labels_need_not_sum_to_one() -> None:
    p = probabilities(np.array([[0.0, 0.0]]), multi=True)
    assert p.tolist() == [[0.5, 0.5]]
    p = probabilities(np.array([[900.0, 0.0]]), multi=False)
    assert p.tolist() == [[1.0, 0.0]]


@pytest.mark.filterwarnings("error")
def test_large_logits_do_not_overflow() -> None:
    p = probabilities(np.array([[-2000.0, 2000.0]]), multi=True)
    assert p.tolist() == [[0.0, 1.0]]


def test_a_label_is_named_from_its_threshold_on() -> None:
    p = np.array([[0.3, 0.3, 0.9]])
    assert named(p, True, np.array([0.3, 0.31, 0.5])).tolist() == [[True, False, True]]
    assert named(p, True).tolist() == [[False, False, True]]


def test_of_one_label_exactly_one_is_named() -> None:
    p = np.array([[0.2, 0.4, 0.4], [0.5, 0.5, 0.0]])
    assert named(p, False).tolist() == [[False, True, False], [True, False, False]]


@pytest.mark.parametrize("task", ["single", "multi"])
def test_the_page_names_what_the_figures_count(
    task: str, a_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    thresholds = {"red": 0.31, "blue": 0.7} if task == "multi" else {}
    folder = a_bundle(tmp_path, "colours", LABELS, task=task)
    write_card(folder, replace(read_card(folder), thresholds=thresholds))
    classifier = Classifier.open(folder)
    multi = task == "multi"
    logits = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    counted = named(probabilities(logits, multi), multi, thresholds_of(classifier.card))
    features = np.zeros((300, 3), np.float32)
    scores = Scores(logits, features)
    said = [set(classifier.answer(scores[i]).labels) for i in range(300)]
    assert said == [{LABELS[c] for c in np.flatnonzero(row)} for row in counted]


def test_int8_is_compared_by_the_names_that_thresholds_give() -> None:
    """Of a label named from 30 % on, what passes from 40 to 45 % is the same answer, named."""
    draw = np.random.default_rng(0)
    targets = (draw.random((400, 1)) < 0.5).astype(np.int64)
    exact = np.where(targets == 1, 0.5, -2.5) + draw.normal(0, 0.6, (400, 1)) - 0.8
    approximate = np.where((exact > -0.3) & (exact < 0), 0.01, exact)  # over 50 %, to no avail
    crossed = ((exact >= 0) != (approximate >= 0)).mean()
    assert crossed > 0.05
    assert compare(exact, approximate, targets, multi=True).same.mean() > 0.99
