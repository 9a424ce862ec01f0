"""Checks: small callables that score every picture of a recipe for one kind of problem.

A check takes the evidence and returns a score for each of N pictures, from 0 (no problem) to 1,
and the reason in words. You can register your own in a few lines:
    @check("upright", weight=0.3)
    def upright(evidence: Evidence) -> Finding: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kezako.clean.evidence import Array, Evidence, Integers, likeliest, own, unusual
from kezako.errors import KezakoError
from kezako.recipe import LABEL_SEPARATOR, NEITHER

REPORTED = 0.5  # from this score on, the reason is shown
ODD, VERY_ODD = 2.0, 5.0  # robust standard deviations at which the score is 0 and 1
# Of `Look.drawn`: 95 % of photos are below the first, most drawings above the second.
PHOTO, DRAWING = 0.06, 0.16
BLURRED = 60.0  # of `Look.sharpness`; sharper pictures never count as blurred
# Pixels of the shorter side: score 1 at or below the first, 0 from the second on.
TINY, SMALL = 48, 128


@dataclass(frozen=True)
class Finding:
    """The result of one check for N pictures."""

    scores: Array  # (N,), 0 to 1
    reasons: Sequence[str]  # (N,), in words, even if the score is 0


@dataclass(frozen=True)
class Check:
    """A registered check; its weight says how likely a picture with score 1 is wrong."""

    name: str
    weight: float
    run: Callable[[Evidence], Finding]


# Weights were chosen on three classes of bears with 8 % of labels flipped: with them, the first
# 12 % of pictures contain 90 % of the flips ("loss" alone 89 %, "neighbours" alone 82 %, both with
# equal weights 87 %). The checks of the picture itself find no flips; up to 0.5 they hide none.
CHECKS: dict[str, Check] = {}


def check(
    name: str,  # a column of the table
    weight: float,  # 0 to 1
) -> Callable[[Callable[[Evidence], Finding]], Callable[[Evidence], Finding]]:
    """Register a check; a check of the same name is replaced. Raises `KezakoError`."""
    if not 0 <= weight <= 1:
        raise KezakoError(f"The weight of {name!r} must be from 0 to 1, not {weight}.")

    def register(run: Callable[[Evidence], Finding]) -> Callable[[Evidence], Finding]:
        CHECKS[name] = Check(name, weight, run)
        return run

    return register


def chosen(names: Iterable[str] | None = None) -> list[Check]:
    """The checks of these names, or all. Raises `KezakoError` for an unknown name."""
    wanted = list(CHECKS) if names is None else list(names)
    if unknown := [name for name in wanted if name not in CHECKS]:
        raise KezakoError(f"{unknown[0]!r} is no check; known are {', '.join(CHECKS)}.")
    return [CHECKS[name] for name in wanted]


def combine(scores: Sequence[Array], weights: Sequence[float]) -> Array:
    """Combine several checks into one score (N,): 1 - the product of (1 - weight * score)."""
    trust = np.prod([1 - w * s for s, w in zip(scores, weights, strict=True)], axis=0)
    return np.asarray(1 - trust)


@check("loss", weight=0.9)
def loss(evidence: Evidence) -> Finding:
    """A model that was not trained on this picture says something else."""
    scores = 1 - own(evidence.p, evidence.given)
    said = likeliest(evidence.p, evidence.multi)
    reasons = [
        _contradiction(evidence, i, folder_of(said[i], evidence), scores[i])
        for i in range(len(scores))
    ]
    return Finding(scores, reasons)


@check("neighbours", weight=0.5)
def neighbours(evidence: Evidence) -> Finding:
    """The most similar pictures are of another class."""
    scores = 1 - own(evidence.votes, evidence.given)
    said = likeliest(evidence.votes, evidence.multi)
    sure = own(evidence.votes, said)
    return Finding(
        scores,
        [
            f"most pictures like it lie in {other} ({100 * sure[i]:.0f} %)"
            if (other := folder_of(said[i], evidence)) != evidence.folders[i]
            else f"few pictures like it lie in {evidence.folders[i]}"
            for i in range(len(scores))
        ],
    )


@check("outlier", weight=0.3)
def outlier(evidence: Evidence) -> Finding:
    """Far from every other picture."""
    scores = _ramp(unusual(evidence.distance), ODD, VERY_ODD)
    return Finding(scores, ["unlike all other pictures"] * len(scores))


@check("conflict", weight=0.5)
def conflict(evidence: Evidence) -> Finding:
    """The same picture is in another class, too."""
    scores = np.array([float(bool(rivals)) for rivals in evidence.rivals])
    return Finding(scores, [f"also lies in {', '.join(rivals)}" for rivals in evidence.rivals])


@check("leak", weight=0.4)
def leak(evidence: Evidence) -> Finding:
    """A validation picture that is in training, too, so it does not measure anything."""
    scores = np.array([float(bool(other)) for other in evidence.leaks])
    return Finding(
        scores, [f"the same photo as {other}, which is in training" for other in evidence.leaks]
    )


@check("drawing", weight=0.3)
def drawing(evidence: Evidence) -> Finding:
    """A drawing or text; gives 0 if most pictures are drawings."""
    scores = _ramp(evidence.drawn, PHOTO, DRAWING)
    if np.median(scores) >= REPORTED:
        scores = np.zeros(len(scores))
    return Finding(scores, ["a drawing or text rather than a photo"] * len(scores))


@check("poor", weight=0.3)
def poor(evidence: Evidence) -> Finding:
    """Blurred, compared with the other pictures, or tiny; size gives 0 if most are tiny."""
    logs = np.log(np.maximum(evidence.sharpness, 1e-3))
    blurred = np.minimum(_ramp(-unusual(logs), ODD, VERY_ODD), evidence.sharpness < BLURRED)
    tiny = _ramp(-evidence.shortest, -SMALL, -TINY)
    if np.median(tiny) >= REPORTED:
        tiny = np.zeros(len(tiny))
    reasons = [
        f"only {side} pixels small" if small >= soft else "blurred"
        for side, small, soft in zip(evidence.shortest, tiny, blurred, strict=True)
    ]
    return Finding(np.maximum(blurred, tiny), reasons)


def folder_of(shown: Integers, evidence: Evidence) -> str:
    """The folder for pictures with these labels (C,); one that is in use if there is one."""
    named = [label for label, is_shown in zip(evidence.labels, shown, strict=True) if is_shown]
    if not evidence.multi:
        return named[0]
    if not named:
        return NEITHER
    for folder in evidence.folders:
        if folder != NEITHER and sorted(folder.split(LABEL_SEPARATOR)) == sorted(named):
            return folder
    return LABEL_SEPARATOR.join(named)


def _contradiction(evidence: Evidence, i: int, other: str, score: float) -> str:
    lies = evidence.folders[i]
    if other == lies:
        return f"hardly looks like {lies} ({100 * (1 - score):.0f} %)"
    sure = own(evidence.p[i : i + 1], likeliest(evidence.p[i : i + 1], evidence.multi))[0]
    return f"looks like {other} ({100 * sure:.0f} %), lies in {lies}"


def _ramp(values: npt.ArrayLike, low: float, high: float) -> Array:
    """0 up to `low`, rising to 1 at `high` and above."""
    return np.clip((np.asarray(values, dtype=np.float64) - low) / (high - low), 0, 1)
