"""Cross-fitting: measure values fitted on validation pictures on pictures held out of the fit.

A temperature, thresholds and the limit of "none of these" fit the pictures that they were fitted
on better than others. So the pictures are split at random into parts, each part is answered with
the values of the other parts, and only these answers are counted: Stone, "Cross-validatory choice
and assessment of statistical predictions" (Journal of the Royal Statistical Society B 1974). The
values in the bundle are fitted on all pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kezako.export.calibration import confidences, fit_temperature
from kezako.export.intervals import Interval, of_rank
from kezako.model.decision import HALF, Array, Flags, Integers, named, probabilities

Floats = npt.NDArray[np.floating[Any]]

PARTS = 10  # with more, what the others choose hardly differs from the bundle's values
PASSED = 0.97  # share of unseen pictures of the classes that must count as known
CANDIDATES = np.linspace(0.2, 0.8, 61)  # thresholds to choose from


@dataclass(frozen=True)
class Rule:
    """The parameters that turn logits into answers."""

    temperature: float
    thresholds: Array | float  # (C,) for multi-label


@dataclass(frozen=True)
class Answers:
    """The answers for N pictures, and what these show; all arrays are (N, C)."""

    p: Array
    said: Flags
    shown: Flags
    multi: bool

    @property
    def wrong(self) -> Flags:
        """Wrong answers: (N, 1), or (N, C) for multi-label."""
        different = np.asarray(self.said != self.shown)
        return different if self.multi else np.asarray(different.any(axis=1, keepdims=True))

    @property
    def confidences(self) -> tuple[Array, Flags]:
        """The confidence of each answer, and whether it is right; shaped like `wrong`."""
        return confidences(self.p, self.said, self.shown, self.multi)


def fit_rule(
    raw: Array,  # (N, C) logits, before any temperature
    targets: Integers,  # (N,), or (N, C) of 0 and 1
    multi: bool,
    unseen: bool = True,  # False if the model may have been trained on some of these pictures
) -> Rule:
    """Fit temperature and thresholds to these pictures."""
    temperature = fit_temperature(raw, targets, multi, unseen)
    if not multi:
        return Rule(temperature, HALF)
    return Rule(temperature, fit_thresholds(probabilities(raw / temperature, multi), targets))


def fit_thresholds(p: Array, targets: Integers) -> Array:
    """The threshold of each label with the highest accuracy, (C,).

    It is the median of the best ones, so that one picture more or less does not move it far.
    """
    chosen = []
    for column, truth in zip(p.T, targets.T == 1, strict=True):
        accuracy = ((column[:, None] >= CANDIDATES) == truth[:, None]).mean(axis=0)
        chosen.append(np.median(CANDIDATES[accuracy >= accuracy.max() - 1e-12]))
    return np.round(np.array(chosen), 3)


def unseen_answers(raw: Array, targets: Integers, multi: bool, unseen: bool = True) -> Answers:
    """Answer each picture with the rule fitted to the other parts; arguments as in `fit_rule`."""
    p = np.empty(raw.shape)
    said = np.empty(raw.shape, dtype=bool)
    for part, others in _parts(len(raw)):
        rule = fit_rule(raw[others], targets[others], multi, unseen)
        p[part] = probabilities(raw[part] / rule.temperature, multi)
        said[part] = named(p[part], multi, rule.thresholds)
    shown = targets == 1 if multi else np.eye(raw.shape[1], dtype=bool)[targets]
    return Answers(p, said, shown, multi)


def fit_limit(distances: Floats) -> float:
    """The distance below which 97 % of new pictures of the classes are, estimated from (N,)
    distances.

    A new picture is equally likely to have any rank among N + 1, so this is the distance with rank
    0.97 (N + 1): Papadopoulos et al., "Inductive confidence machines for regression" (ECML 2002).
    For fewer than 33 pictures it is the largest distance, below which N of N + 1 are.
    """
    return float(np.quantile(distances, PASSED, method="weibull"))


def unseen_passes(distances: Floats) -> Flags:
    """Whether each picture is within the limit that the other parts choose, (N,)."""
    passes = np.empty(len(distances), dtype=bool)
    for part, others in _parts(len(distances)):
        passes[part] = distances[part] <= fit_limit(distances[others])
    return passes


def passing_interval(passes: Flags) -> Interval:
    """The 95 % interval of the share of new pictures that are within the limit chosen on all."""
    rank = min(PASSED * (len(passes) + 1), len(passes))
    low, high = of_rank(rank, len(passes))
    return min(low, float(passes.mean())), max(high, float(passes.mean()))


def _parts(count: int) -> Iterator[tuple[Integers, Integers]]:
    """Each part and all others, as indices; always the same ones."""
    order = np.random.default_rng(0).permutation(count)
    for number in range(min(PARTS, count)):
        part = order[number::PARTS]
        others = np.setdiff1d(order, part)
        yield part, others if len(others) else part  # a single picture has no others
