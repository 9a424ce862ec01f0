"""What is chosen on the validation pictures, judged on those that did not choose it.

A temperature, thresholds and the limit of "none of these" fit the pictures that they were chosen
on better than any others. So the pictures are divided at random, each part is answered with what
the others choose, and only such answers are counted: Stone, "Cross-validatory choice and assessment
of statistical predictions" (Journal of the Royal Statistical Society B 1974). What is shipped is
chosen on all of them.
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

PARTS = 10  # with more, what the others choose hardly differs from what is shipped
PASSED = 0.97  # share of unseen pictures of the classes that must count as known
CANDIDATES = np.linspace(0.2, 0.8, 61)  # thresholds that may be chosen


@dataclass(frozen=True)
class Rule:
    """How logits become an answer."""

    temperature: float
    thresholds: Array | float  # (C,) for several labels


@dataclass(frozen=True)
class Answers:
    """What was answered to N pictures, and what they show; all (N, C)."""

    p: Array
    said: Flags
    shown: Flags
    multi: bool

    @property
    def wrong(self) -> Flags:
        """Wrong answers: (N, 1), or (N, C) for several labels."""
        different = np.asarray(self.said != self.shown)
        return different if self.multi else np.asarray(different.any(axis=1, keepdims=True))

    @property
    def confidences(self) -> tuple[Array, Flags]:
        """How sure each answer is, and whether it is right, both of the shape of `wrong`."""
        return confidences(self.p, self.said, self.shown, self.multi)


def fit_rule(
    raw: Array,  # (N, C) logits as trained
    targets: Integers,  # (N,), or (N, C) of 0 and 1
    multi: bool,
    unseen: bool = True,  # False where the model may have learnt some of these very pictures
) -> Rule:
    """The rule that these pictures choose."""
    temperature = fit_temperature(raw, targets, multi, unseen)
    if not multi:
        return Rule(temperature, HALF)
    return Rule(temperature, fit_thresholds(probabilities(raw / temperature, multi), targets))


def fit_thresholds(p: Array, targets: Integers) -> Array:
    """The probability of each label from which naming it is right most often, (C,).

    The middle of the best range, so that one picture more or less does not move it far.
    """
    chosen = []
    for column, truth in zip(p.T, targets.T == 1, strict=True):
        accuracy = ((column[:, None] >= CANDIDATES) == truth[:, None]).mean(axis=0)
        chosen.append(np.median(CANDIDATES[accuracy >= accuracy.max() - 1e-12]))
    return np.round(np.array(chosen), 3)


def unseen_answers(raw: Array, targets: Integers, multi: bool, unseen: bool = True) -> Answers:
    """Each picture answered by the rule that the others choose; arguments as of `fit_rule`."""
    p = np.empty(raw.shape)
    said = np.empty(raw.shape, dtype=bool)
    for part, others in _parts(len(raw)):
        rule = fit_rule(raw[others], targets[others], multi, unseen)
        p[part] = probabilities(raw[part] / rule.temperature, multi)
        said[part] = named(p[part], multi, rule.thresholds)
    shown = targets == 1 if multi else np.eye(raw.shape[1], dtype=bool)[targets]
    return Answers(p, said, shown, multi)


def fit_limit(distances: Floats) -> float:
    """The distance within which 97 % of new pictures of the classes lie, as far as (N,) tell.

    Of N + 1 pictures the newest is as likely to have any rank as the others, so it is the one of
    rank 0.97 (N + 1): Papadopoulos et al., "Inductive confidence machines for regression" (ECML
    2002). For fewer than 33 pictures it is the greatest, within which N of N + 1 lie.
    """
    return float(np.quantile(distances, PASSED, method="weibull"))


def unseen_passes(distances: Floats) -> Flags:
    """Whether each picture keeps within the limit that the others set, (N,)."""
    passes = np.empty(len(distances), dtype=bool)
    for part, others in _parts(len(distances)):
        passes[part] = distances[part] <= fit_limit(distances[others])
    return passes


def passing_interval(passes: Flags) -> Interval:
    """Of the share of new pictures of the classes that lie within the limit that all set."""
    rank = min(PASSED * (len(passes) + 1), len(passes))
    low, high = of_rank(rank, len(passes))
    return min(low, float(passes.mean())), max(high, float(passes.mean()))


def _parts(count: int) -> Iterator[tuple[Integers, Integers]]:
    """Each part, and all others; the same ones every time."""
    order = np.random.default_rng(0).permutation(count)
    for number in range(min(PARTS, count)):
        part = order[number::PARTS]
        others = np.setdiff1d(order, part)
        yield part, others if len(others) else part  # a single picture has no others
