"""How sure a model may be: as sure as the pictures support, and no surer."""

from __future__ import annotations

import numpy as np
import pytest

from kezako.export.calibration import (
    ENOUGH,
    calibration_error,
    calibration_interval,
    confidences,
    fit_temperature,
    reliability,
    temperature_interval,
)
from kezako.export.crossfit import unseen_answers
from kezako.model.decision import named, probabilities

EASY = 30  # pictures of two easy classes: a beginner's first classifier


def overconfident(temperature: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `temperature` times too large for the labels drawn from them."""
    draw = np.random.default_rng(0)
    honest = draw.normal(size=(count, 3)) * 1.5
    p = probabilities(honest, multi=False)
    targets = np.array([draw.choice(3, p=row) for row in p])
    return honest * temperature, targets


def easy(margin: float, multi: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits of which none is wrong, by about `margin`, and what is true."""
    draw = np.random.default_rng(seed)
    shown = np.eye(2, dtype=np.int64)[np.arange(EASY) % 2]
    gaps = margin * draw.uniform(0.6, 1.4, shown.shape if multi else (EASY, 1))
    return gaps * (shown - 0.5), shown if multi else shown.argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    logits, targets = overconfident(temperature)
    assert fit_temperature(logits, targets, multi=False) == pytest.approx(temperature, rel=0.1)
    found = temperature_interval(logits, targets, multi=False)
    assert found is not None
    assert found[0] < temperature < found[1] < 1.2 * temperature


@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("margin", [0.5, 3.0, 10.0, 40.0])
def test_what_is_told_apart_without_error_is_not_made_sure_of_itself(
    margin: float, multi: bool
) -> None:
    logits, targets = easy(margin, multi)
    temperature = fit_temperature(logits, targets, multi)
    assert temperature >= 1
    # 30 of 30 right supports 31 in 32, and pictures between the classes support less.
    sure = probabilities(logits / temperature, multi)
    assert np.maximum(sure, 1 - sure).mean() < 0.98
    draw = np.random.default_rng(1)
    share = draw.uniform(0, 1, (60, 1))
    first, second = logits[draw.integers(0, EASY, 60)], logits[draw.integers(0, EASY, 60)]
    blends = probabilities((share * first + (1 - share) * second) / temperature, multi)
    surest = np.maximum(blends, 1 - blends).max(axis=1)
    assert surest.max() < 0.995
    assert (surest > 0.99).mean() <= 0.1
    assert temperature_interval(logits, targets, multi) is None


@pytest.mark.parametrize("multi", [False, True])
def test_the_figures_of_a_card_follow_the_same_rule(multi: bool) -> None:
    logits, targets = easy(3.0, multi)
    answers = unseen_answers(logits, targets, multi)
    sure, right = answers.confidences
    assert right.all()
    assert sure.max() < 0.999
    assert calibration_error(sure, right) > 0.01, "not 0.0 %, which 30 pictures cannot show"


def test_an_imports_answers_are_never_made_surer() -> None:
    logits, targets = overconfident(0.5)
    assert fit_temperature(logits, targets, multi=False) < 1
    assert fit_temperature(logits, targets, multi=False, unseen=False) == 1


def test_few_errors_are_not_enough_to_be_made_surer_by() -> None:
    logits, targets = easy(0.5, multi=False)
    for wrong in range(ENOUGH):
        changed = targets.copy()
        changed[:wrong] = 1 - changed[:wrong]
        assert fit_temperature(logits, changed, multi=False) >= 1
        assert temperature_interval(logits, changed, multi=False) is None
    changed[:ENOUGH] = 1 - targets[:ENOUGH]
    assert temperature_interval(logits, changed, multi=False) is not None


def test_scaling_halves_the_calibration_error_of_an_overconfident_model() -> None:
    logits, targets = overconfident(3.0)
    shown = np.eye(3, dtype=bool)[targets]
    p = probabilities(logits, multi=False)
    before = calibration_error(*confidences(p, named(p, False), shown, False))
    after = calibration_error(*unseen_answers(logits, targets, multi=False).confidences)
    assert before > 0.1
    assert after < before / 2


def test_calibration_error_is_the_gap_between_said_and_right() -> None:
    sure = np.full((100, 1), 0.9)
    right = np.array([[True]] * 60 + [[False]] * 40)
    assert calibration_error(sure, right) == pytest.approx(0.3)
    assert calibration_error(np.ones((10, 1)), np.ones((10, 1), dtype=bool)) == 0


@pytest.mark.parametrize("too_sure", [1.0, 2.0])
@pytest.mark.parametrize("count", [30, 240])
def test_the_calibration_error_lies_in_its_interval(too_sure: float, count: int) -> None:
    """Of a model that is right as often as it says, and of one that is not."""

    def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        draw = np.random.default_rng(seed)
        log_odds = np.abs(draw.normal(2, 1.5, (count, 1)))
        right = draw.random((count, 1)) < 1 / (1 + np.exp(-log_odds / too_sure))
        return 1 / (1 + np.exp(-log_odds)), right

    true = calibration_error(*drawn(400_000, 0)) if too_sure > 1 else 0.0
    found = [calibration_interval(*drawn(count, seed)) for seed in range(1, 201)]
    assert np.mean([low <= true <= high for low, high in found]) >= 0.93
    if count == 240:
        assert np.mean([high - low for low, high in found]) < 0.15


def test_a_bin_has_its_interval() -> None:
    sure, right = np.full((20, 1), 0.95), np.ones((20, 1), dtype=bool)
    (found,) = reliability(sure, right)
    assert found["pictures"] == 20
    assert found["right_interval"] == pytest.approx([0.839, 1.0], abs=1e-3)
