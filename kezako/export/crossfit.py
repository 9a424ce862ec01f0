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

from kezako.export.calibration import ENOUGH, confidences, fit_temperature
from kezako.export.intervals import Interval, of_rank, of_share
from kezako.model.decision import HALF, Array, Flags, Integers, named, probabilities

Floats = npt.NDArray[np.floating[Any]]

PARTS = 10  # with more, what the others choose hardly differs from the bundle's values
PASSED = 0.97  # share of unseen pictures of the classes that must count as known
PASSED_AT_LEAST = 0.9  # the same, where pictures of something else ask for a tighter limit
NONE: Floats = np.zeros(0)
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


def fit_limit(
    distances: Floats,  # (N,), of pictures of the classes
    something_else: Floats = NONE,  # (M,), of pictures that show none of the classes
) -> float:
    """The limit of "none of these": pictures of the classes should lie below it, others above.

    Without pictures of something else, 97 % of new pictures of the classes lie below it: a new
    picture is equally likely to have any rank among N + 1, so the limit is the distance with rank
    0.97 (N + 1): Papadopoulos et al., "Inductive confidence machines for regression" (ECML 2002).
    For fewer than 33 pictures it is the largest distance, below which N of N + 1 are. With
    pictures of something else, it is the distance with the rank of `fit_rank`.
    """
    return _at_rank(np.sort(distances), fit_rank(distances, something_else))


def fit_rank(distances: Floats, something_else: Floats = NONE) -> float:
    """The rank, 1 to N, of the limit among the `distances`; arguments as in `fit_limit`.

    It is tightened to the rank that maximises the share of other pictures refused minus the share
    of pictures of the classes lost: Youden, "Index for rating diagnostic tests" (Cancer 1950). Of
    the first, the lower end of its 95 % interval counts, so that a few pictures move it little; the
    second is bounded, because at least 90 % of the classes' pictures must pass. It stays at 97 % if
    nothing is gained, and for fewer than five other pictures.
    """
    count, widest = len(distances), _widest_rank(len(distances))
    if len(something_else) < ENOUGH:
        return widest
    ordered, tightest = np.sort(distances), PASSED_AT_LEAST * (count + 1)
    within = something_else[something_else <= _at_rank(ordered, widest)]
    best, most = widest, 0.0
    ranks = [float(rank) for rank in range(1, count) if tightest < rank < widest]
    for rank in [*reversed(ranks), min(tightest, widest)]:
        refused = int((within > _at_rank(ordered, rank)).sum())
        gained = of_share(refused, len(something_else))[0] - (widest - rank) / (count + 1)
        if gained > most:
            best, most = rank, gained
    return best


def _at_rank(ordered: Floats, rank: float) -> float:
    """The distance with a rank from 1 to N, which need not be whole, among (N,) sorted ones."""
    return float(np.interp(rank - 1, np.arange(len(ordered)), ordered))


def _widest_rank(count: int) -> float:
    return min(PASSED * (count + 1), float(count))


def unseen_passes(distances: Floats, something_else: Floats = NONE) -> Flags:
    """Whether each picture is within the limit that the other parts choose, (N,)."""
    passes = np.empty(len(distances), dtype=bool)
    for part, others in _parts(len(distances)):
        passes[part] = distances[part] <= fit_limit(distances[others], something_else)
    return passes


def unseen_refusals(distances: Floats, something_else: Floats) -> Flags:
    """Whether each picture of something else is beyond the limit that the others choose, (M,)."""
    refused = np.empty(len(something_else), dtype=bool)
    for part, others in _parts(len(something_else)):
        refused[part] = something_else[part] > fit_limit(distances, something_else[others])
    return refused


def passing_interval(
    passes: Flags,  # (N,)
    rank: float | None = None,  # of the limit, as `fit_rank` gives it; None: 97 %
) -> Interval:
    """The 95 % interval of the share of new pictures that are within the limit chosen on all."""
    low, high = of_rank(_widest_rank(len(passes)) if rank is None else rank, len(passes))
    return min(low, float(passes.mean())), max(high, float(passes.mean()))


def _parts(count: int) -> Iterator[tuple[Integers, Integers]]:
    """Each part and all others, as indices; always the same ones."""
    order = np.random.default_rng(0).permutation(count)
    for number in range(min(PARTS, count)):
        part = order[number::PARTS]
        others = np.setdiff1d(order, part)
        yield part, others if len(others) else part  # a single picture has no others
