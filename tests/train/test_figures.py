"""The arithmetic of the card, on outputs whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from kezako.train import figures


def overconfident(temperature: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `temperature` times too large for the labels drawn from them."""
    draw = np.random.default_rng(0)
    honest = draw.normal(size=(count, 3)) * 1.5
    p = figures.probabilities(honest, multi=False)
    targets = np.array([draw.choice(3, p=row) for row in p])
    return honest * temperature, targets


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    logits, targets = overconfident(temperature)
    assert figures.fit_temperature(logits, targets, multi=False) == pytest.approx(
        temperature, rel=0.1
    )


def test_scaling_halves_the_calibration_error_of_an_overconfident_model() -> None:
    before, after = figures.unseen_calibration(*overconfident(3.0), multi=False)
    assert before > 0.1
    assert after < before / 2


def test_calibration_error_is_the_gap_between_said_and_right() -> None:
    confidence = np.full(100, 0.9)
    right = np.array([1.0] * 60 + [0.0] * 40)
    assert figures.calibration_error(confidence, right) == pytest.approx(0.3)
    assert figures.calibration_error(np.ones(10), np.ones(10)) == 0


def test_confusion_has_what_it_is_in_rows() -> None:
    matrix = figures.confusion(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2]), 3)
    assert matrix == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]


def test_error_by_class_counts_within_the_class() -> None:
    found = figures.error_by_class(np.array([0, 1, 1]), np.array([0, 0, 1]), ["a", "b", "c"])
    assert found == {"a": 0.5, "b": 0.0}


def test_a_threshold_lies_where_it_separates() -> None:
    p = np.array([[0.1], [0.3], [0.62], [0.9]])
    found = figures.fit_thresholds(p, np.array([[0], [0], [1], [1]]), ["cat"])
    assert 0.3 < found["cat"] <= 0.62


def test_probabilities_of_several_labels_need_not_sum_to_one() -> None:
    p = figures.probabilities(np.array([[0.0, 0.0]]), multi=True)
    assert p.tolist() == [[0.5, 0.5]]
    p = figures.probabilities(np.array([[900.0, 0.0]]), multi=False)
    assert p.tolist() == [[1.0, 0.0]]
