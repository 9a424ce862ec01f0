"""When int8 may stand in for fp32: the same answers, as surely; one unlucky picture is noise."""

from __future__ import annotations

import numpy as np
import pytest

from kezako.export.evaluation import compare

COUNT = 237  # validation pictures, of three classes


@pytest.fixture
def exact() -> tuple[np.ndarray, np.ndarray]:
    """Logits of a model that errs on some pictures, and the labels."""
    draw = np.random.default_rng(0)
    targets = draw.integers(0, 3, COUNT)
    logits = draw.normal(size=(COUNT, 3)) + 3 * np.eye(3)[targets]
    return logits, targets


def kept(exact: np.ndarray, approximate: np.ndarray, targets: np.ndarray) -> bool:
    return compare(exact, approximate, targets, targets.ndim == 2).keeps_the_answers


def flipped(logits: np.ndarray, targets: np.ndarray, count: int) -> np.ndarray:
    """The `count` least sure of the right answers become wrong ones, by a hair."""
    logits = logits.copy()
    order = np.sort(logits, axis=1)
    right = np.flatnonzero(logits.argmax(1) == targets)
    for row in right[np.argsort((order[:, -1] - order[:, -2])[right])][:count]:
        best, second = np.argsort(-logits[row])[:2]
        logits[row, [best, second]] = logits[row].mean() + np.array([0, 0.01])
    return logits


def test_rounding_is_kept(exact: tuple[np.ndarray, np.ndarray]) -> None:
    logits, targets = exact
    assert kept(logits, logits, targets)
    assert kept(logits, logits * 1.001, targets)


def test_one_unlucky_picture_does_not_decide(exact: tuple[np.ndarray, np.ndarray]) -> None:
    logits, targets = exact
    one = flipped(logits, targets, 1)
    assert (one.argmax(1) != targets).sum() == (logits.argmax(1) != targets).sum() + 1
    assert kept(logits, one, targets)


def test_two_of_237_are_too_many(exact: tuple[np.ndarray, np.ndarray]) -> None:
    logits, targets = exact
    assert not kept(logits, flipped(logits, targets, 2), targets)


def test_the_same_answers_less_surely_are_not_kept(exact: tuple[np.ndarray, np.ndarray]) -> None:
    logits, targets = exact
    assert not kept(logits, logits * 0.7, targets)
    assert (logits.argmax(1) == (logits * 0.7).argmax(1)).all()


@pytest.mark.parametrize("margin", [8.0, 28.0])
@pytest.mark.parametrize("multi", [False, True])
def test_an_easy_problem_ships_the_small_model(margin: float, multi: bool) -> None:
    """Where nearly nothing is lost, many times as much is still nothing."""
    shown = np.eye(3, dtype=np.int64)[np.arange(30) % 3]
    logits = (margin * (shown - 0.5 * multi)).astype(np.float64)
    targets = shown if multi else shown.argmax(axis=1)
    found = compare(logits, logits * 0.9, targets, multi)
    exact, approximate = (losses.mean() for losses in found.losses)
    assert approximate > 1.3 * exact
    assert found.keeps_the_answers
    assert not compare(logits, logits * 0.1, targets, multi).keeps_the_answers


def test_how_sure_it_is_is_judged_before_the_temperature(
    exact: tuple[np.ndarray, np.ndarray],
) -> None:
    """The same model, its logits as small as a short training leaves them: T would hide it."""
    logits, targets = exact
    small = compare(logits / 20, logits / 20, targets, False)
    at_one = -np.log(
        (np.exp(logits / 20) / np.exp(logits / 20).sum(1, keepdims=True))[np.arange(COUNT), targets]
    )
    assert small.losses[0] == pytest.approx(at_one)


def test_several_labels_are_judged_each(exact: tuple[np.ndarray, np.ndarray]) -> None:
    logits, _ = exact
    targets = (logits > 0.3).astype(int)
    assert kept(logits, logits, targets)
    assert not kept(logits, logits - 0.5, targets)
