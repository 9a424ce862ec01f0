"""How good a model is, from its outputs alone: arithmetic that needs no model.

Shapes: logits (N, C); targets (N,) class indices for one label a picture, (N, C) of 0 and 1 for
several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BINS = 15


def probabilities(logits: Array, multi: bool) -> Array:
    """Softmax over the classes, or a sigmoid for each, (N, C)."""
    if multi:
        return np.asarray(1 / (1 + np.exp(-logits)))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def log_loss(logits: Array, targets: Integers, multi: bool) -> float:
    """Mean cross-entropy (binary for several labels), in nats."""
    p = np.clip(probabilities(logits, multi), 1e-12, 1 - 1e-12)
    if multi:
        return float(-(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean())
    return float(-np.log(p[np.arange(len(p)), targets]).mean())


def fit_temperature(logits: Array, targets: Integers, multi: bool) -> float:
    """The T that makes logits / T fit best, from 0.05 to 20.

    Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
    """
    found = minimize_scalar(
        lambda log_t: log_loss(logits / np.exp(log_t), targets, multi),
        bounds=(np.log(0.05), np.log(20)),
        method="bounded",
    )
    return float(np.exp(found.x))


def calibration_error(confidence: Array, right: Array) -> float:
    """Expected calibration error over 15 equal bins: 0 means that p sure is right p of the time.

    Both (N,): the probability of what was answered, and 1 where that was right.
    """
    bins = reliability(confidence, right)
    return float(sum(abs(b["right"] - b["said"]) * b["pictures"] for b in bins) / len(right))


def reliability(confidence: Array, right: Array) -> list[dict[str, float]]:
    """For each bin that holds answers: mean probability said, share right, how many."""
    place = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    return [
        {
            "said": float(confidence[place == b].mean()),
            "right": float(right[place == b].mean()),
            "pictures": int((place == b).sum()),
        }
        for b in range(BINS)
        if (place == b).any()
    ]


def confidences(logits: Array, targets: Integers, multi: bool) -> tuple[Array, Array]:
    """Probability of what was answered, and 1 where it was right: (N,) or (N * C,) each."""
    p = probabilities(logits, multi)
    if multi:
        said = p >= 0.5
        return np.where(said, p, 1 - p).ravel(), (said == targets.astype(bool)).ravel().astype(
            float
        )
    return p.max(axis=1), (p.argmax(axis=1) == targets).astype(float)


def unseen_calibration(
    logits: Array, targets: Integers, multi: bool, seed: int = 0
) -> tuple[float, float]:
    """Calibration error before and after a temperature, on pictures that it was not fitted on."""
    scaled = unseen_scaling(logits, targets, multi, seed)
    return (
        calibration_error(*confidences(logits, targets, multi)),
        calibration_error(*confidences(scaled, targets, multi)),
    )


def unseen_scaling(logits: Array, targets: Integers, multi: bool, seed: int = 0) -> Array:
    """Logits, halved at random, each half scaled by the temperature that fits the other."""
    order = np.random.default_rng(seed).permutation(len(logits))
    scaled = np.empty_like(logits)
    for half, other in ((order[::2], order[1::2]), (order[1::2], order[::2])):
        scaled[half] = logits[half] / fit_temperature(logits[other], targets[other], multi)
    return scaled


def fit_thresholds(p: Array, targets: Integers, labels: Sequence[str]) -> dict[str, float]:
    """Label -> the probability from which naming it is right most often (greatest accuracy).

    The middle of the best range, so that one picture more or less does not move it far.
    """
    thresholds = {}
    candidates = np.linspace(0.2, 0.8, 61)
    for column, label in enumerate(labels):
        truth = targets[:, column].astype(bool)
        accuracy = np.array([((p[:, column] >= t) == truth).mean() for t in candidates])
        best = candidates[accuracy >= accuracy.max() - 1e-12]
        thresholds[label] = round(float(np.median(best)), 3)
    return thresholds


def error_by_class(
    predicted: Integers, targets: Integers, labels: Sequence[str]
) -> dict[str, float]:
    """Label -> share of its pictures that got another answer; both arrays (N,)."""
    return {
        label: round(float((predicted[targets == index] != index).mean()), 4)
        for index, label in enumerate(labels)
        if (targets == index).any()
    }


def error_by_label(said: Integers, targets: Integers, labels: Sequence[str]) -> dict[str, float]:
    """Label -> share of pictures where it was named wrongly or missed; both arrays (N, C)."""
    wrong = (said != targets).mean(axis=0)
    return {label: round(float(value), 4) for label, value in zip(labels, wrong, strict=True)}


def confusion(predicted: Integers, targets: Integers, count: int) -> list[list[int]]:
    """Rows: what it is; columns: what was said."""
    matrix = np.zeros((count, count), dtype=int)
    np.add.at(matrix, (targets, predicted), 1)
    return [[int(value) for value in row] for row in matrix]


def agreement(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """The greatest difference between two answers' probabilities."""
    return max(abs(first[label] - second[label]) for label in first)
