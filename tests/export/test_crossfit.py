"""What is told of unseen pictures is what is true of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from kezako.export import metrics
from kezako.export.calibration import ENOUGH
from kezako.export.crossfit import (
    PASSED,
    PASSED_AT_LEAST,
    fit_limit,
    fit_rank,
    fit_rule,
    fit_thresholds,
    passing_interval,
    unseen_answers,
    unseen_passes,
    unseen_refusals,
)
from kezako.export.intervals import CROSSFITTED, of_share
from kezako.export.plots import plot_label_confusions
from kezako.model.decision import named, probabilities
from tests.cards import LABELS, drawn

WORLDS = 60


def several_labels(count: int, draw: np.random.Generator, biases: np.ndarray) -> Any:
    """Logits (N, 4) that are too sure, each label with a bias of its own; and what is true."""
    targets = (draw.random((count, 4)) < 0.35).astype(np.int64)
    return 1.7 * ((2 * targets - 1) * 1.2 + biases + draw.normal(0, 1.3, (count, 4))), targets


@pytest.mark.parametrize("count", [40, 120])
def test_the_error_told_of_several_labels_is_the_true_one(count: int) -> None:
    draw = np.random.default_rng(0)
    told, held, seen, true = [], 0, [], []
    for _ in range(WORLDS):
        biases = draw.normal(0, 0.5, 4)
        raw, targets = several_labels(count, draw, biases)
        answers = unseen_answers(raw, targets, multi=True)
        found = metrics.validation(answers, "abcd")
        rule = fit_rule(raw, targets, multi=True)

        def error(raw: np.ndarray, targets: np.ndarray, rule: Any = rule) -> float:
            p = probabilities(raw / rule.temperature, multi=True)
            return float((named(p, True, rule.thresholds) != (targets == 1)).mean())

        told.append(found["error"])
        seen.append(error(raw, targets))
        true.append(error(*several_labels(5000, draw, biases)))
        low, high = found["error_interval"]
        held += low <= true[-1] <= high
    assert np.mean(told) == pytest.approx(np.mean(true), abs=0.01)
    assert np.mean(seen) < np.mean(true) - 0.015, "what chose the thresholds flatters them"
    assert held >= 0.93 * WORLDS


@pytest.mark.parametrize("count", [20, 40, 238])
def test_the_share_told_to_pass_is_the_true_one(count: int) -> None:
    draw = np.random.default_rng(0)
    told, true, held = [], [], 0
    for _ in range(200):
        distances = draw.gamma(3, size=count)
        passes = unseen_passes(distances)
        told.append(passes.mean())
        true.append((draw.gamma(3, size=4000) <= fit_limit(distances)).mean())
        low, high = passing_interval(passes)
        held += low <= true[-1] <= high
    assert held >= 0.93 * 200
    assert np.mean(told) == pytest.approx(np.mean(true), abs=0.01)
    assert np.mean(true) == pytest.approx(min(PASSED, count / (count + 1)), abs=0.01)


@pytest.mark.parametrize(("count", "others"), [(40, 6), (40, 30), (238, 40), (238, 300)])
def test_pictures_of_something_else_tighten_the_limit_and_the_shares_told_are_true(
    count: int, others: int
) -> None:
    draw = np.random.default_rng(0)

    def elsewhere(count: int) -> np.ndarray:
        return 1.5 + 1.5 * draw.gamma(3, size=count)

    passed, refused, held = [], [], [0, 0]
    without = []
    for _ in range(100):
        distances, something_else = draw.gamma(3, size=count), elsewhere(others)
        limit = fit_limit(distances, something_else)
        passes = unseen_passes(distances, something_else)
        refusals = unseen_refusals(distances, something_else)
        passed.append((passes.mean(), (draw.gamma(3, size=4000) <= limit).mean()))
        refused.append((refusals.mean(), (elsewhere(4000) > limit).mean()))
        without.append((elsewhere(4000) > fit_limit(distances)).mean())
        low, high = passing_interval(passes, fit_rank(distances, something_else))
        held[0] += low <= passed[-1][1] <= high
        low, high = of_share(refusals.sum() / CROSSFITTED, others / CROSSFITTED)
        held[1] += low <= refused[-1][1] <= high
    (told, true), (told_refused, true_refused) = np.mean(passed, axis=0), np.mean(refused, axis=0)
    assert told == pytest.approx(true, abs=0.015)
    assert told_refused == pytest.approx(true_refused, abs=0.035)
    assert min(held) >= 0.91 * 100
    assert true >= PASSED_AT_LEAST - 0.01, "what is lost is bounded"
    gained, lost = true_refused - np.mean(without), PASSED - true
    assert gained > lost, "it is worth it"


def test_a_wrong_picture_of_something_else_costs_little() -> None:
    distances = np.random.default_rng(0).gamma(3, size=238)
    far = np.full(20, distances.max() + 1)
    assert fit_limit(distances, far) == fit_limit(distances), "they are refused as it is"
    copies = np.full(20, distances.min() / 2)  # of pictures of the classes
    assert fit_limit(distances, copies) == fit_limit(distances), "no limit would refuse them"
    few = np.full(ENOUGH - 1, np.quantile(distances, 0.96))
    assert fit_limit(distances, few) == fit_limit(distances), "too few to tell"
    all_within = np.full(20, np.quantile(distances, 0.92))
    assert (distances <= fit_limit(distances, all_within)).mean() >= PASSED_AT_LEAST - 0.01


def test_of_few_pictures_the_limit_is_the_greatest() -> None:
    assert fit_limit(np.arange(20.0)) == 19
    assert fit_limit(np.arange(33.0)) < 32


def test_of_one_label_only_how_sure_it_is_changes() -> None:
    raw, targets = drawn()
    answers = unseen_answers(raw, targets, multi=False)
    assert (answers.said.argmax(axis=1) == raw.argmax(axis=1)).all()
    assert answers.wrong.mean() == (raw.argmax(axis=1) != targets).mean()
    assert answers.confidences[0].mean() != probabilities(raw, False).max(axis=1).mean()


def test_a_single_picture_judges_itself() -> None:
    answers = unseen_answers(np.array([[1.0, -1.0]]), np.array([[1, 1]]), multi=True)
    assert np.isfinite(answers.p).all()
    assert unseen_passes(np.array([0.3])).tolist() == [True]


def test_a_threshold_lies_where_it_separates() -> None:
    p = np.array([[0.1], [0.3], [0.62], [0.9]])
    (found,) = fit_thresholds(p, np.array([[0], [0], [1], [1]]))
    assert 0.3 < found <= 0.62


def test_the_report_counts_the_answers_that_the_card_counts() -> None:
    raw, targets = drawn(multi=True, apart=2.0)
    raw = raw - 0.7  # so that the thresholds are not one half

    def get_preds(dl: Any, act: Any) -> Any:
        return act(torch.from_numpy(raw)), torch.from_numpy(targets)

    learner = SimpleNamespace(get_preds=get_preds)
    loader = SimpleNamespace(vocab=LABELS)
    plot_label_confusions(SimpleNamespace(learn=learner, dl=loader))
    card = metrics.validation(unseen_answers(raw, targets, multi=True), LABELS)
    figure = plt.gcf()
    for axes in figure.axes:
        counts = [int(text.get_text()) for text in axes.texts]  # shown in rows, said in columns
        of_card = card["classes"][axes.get_title()]
        assert counts[1] + counts[2] == of_card["wrong"]
        assert counts[2] == round(of_card["missed"] * of_card["shown"])
        assert sum(counts) == of_card["pictures"]
    half = (named(probabilities(raw, True), True) != (targets == 1)).sum(axis=0)
    assert [card["classes"][label]["wrong"] for label in LABELS] != half.tolist()
    plt.close(figure)
