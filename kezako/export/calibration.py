"""Calibration: fit the temperature, and measure how well confidence matches accuracy."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2

from kezako.export.intervals import DRAWS, LEVEL, Interval, effective, of_share
from kezako.model.decision import Array, Flags, Integers, named, probabilities

BINS = 15
COLDEST, HOTTEST = 0.05, 20.0  # range of temperatures
ENOUGH = 5  # wrong answers that are needed to fit a temperature; with fewer, a single one decides


def fit_temperature(
    logits: Array,  # (N, C), before any temperature
    targets: Integers,  # (N,), or (N, C) of 0 and 1
    multi: bool,
    unseen: bool = True,  # False if the model may have been trained on some of these pictures
) -> float:
    """The temperature T to divide logits by, so that confidence matches accuracy on these pictures.

    Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), with the smoothed targets
    of Platt, "Probabilistic Outputs for Support Vector Machines" (1999). Without smoothing, T would
    go to 0 if there were no errors.

    T < 1 makes answers more confident than training left them. It is allowed only if at least
    ENOUGH unseen pictures are answered wrongly: if none is wrong, the pictures may just be few, or
    known to the model.
    """
    found = minimize_scalar(
        lambda log_t: smoothed_loss(logits / np.exp(log_t), targets, multi),
        bounds=(np.log(COLDEST), np.log(HOTTEST)),
        method="bounded",
    )
    may_sharpen = unseen and wrong_pictures(logits, targets, multi) >= ENOUGH
    return float(max(np.exp(found.x), COLDEST if may_sharpen else 1.0))


def temperature_interval(logits: Array, targets: Integers, multi: bool) -> Interval | None:
    """The 95 % interval of the temperature; None if fewer than ENOUGH pictures are wrong.

    From the profile likelihood: Wilks, "The large-sample distribution of the likelihood ratio"
    (Annals of Mathematical Statistics 1938).
    """
    if wrong_pictures(logits, targets, multi) < ENOUGH:
        return None
    best = np.log(fit_temperature(logits, targets, multi))
    low, high = np.log(COLDEST), np.log(HOTTEST)
    answers = targets.size  # one for each label

    def outside(log_t: float) -> float:
        loss = smoothed_loss(logits / np.exp(log_t), targets, multi)
        lost = loss - smoothed_loss(logits / np.exp(best), targets, multi)
        return float(2 * answers * lost - chi2.ppf(LEVEL, 1))

    return (
        float(np.exp(brentq(outside, low, best) if outside(low) > 0 else low)),
        float(np.exp(brentq(outside, best, high) if outside(high) > 0 else high)),
    )


def smoothed_loss(logits: Array, targets: Integers, multi: bool) -> float:
    """Mean cross-entropy, in nats, against smoothed targets.

    Smoothed as if there were one more right and one more wrong answer. For single-label, that is
    counted over all N pictures, since all classes share one temperature; for multi-label,
    separately over the pictures that show a label and those that do not, which is Platt's case.
    """
    if multi:
        counts = targets.sum(axis=0)  # (C,)
        yes, no = (counts + 1) / (counts + 2), 1 / (len(targets) - counts + 2)
        shown = np.where(targets == 1, yes, no)  # (N, C)
        return float((np.logaddexp(0, logits) - shown * logits).mean())
    doubt = 1 / (len(logits) + 2)
    logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)  # (N, C)
    right = logs[np.arange(len(logs)), targets]
    others = (logs.sum(axis=1) - right) / max(logs.shape[1] - 1, 1)
    return float(-((1 - doubt) * right + doubt * others).mean())


def wrong_pictures(logits: Array, targets: Integers, multi: bool) -> int:
    """How many pictures get a wrong answer; for multi-label, with a threshold of 0.5."""
    said = named(probabilities(logits, multi), multi)
    shown = targets == 1 if multi else np.eye(logits.shape[1], dtype=bool)[targets]
    return int((said != shown).any(axis=1).sum())


def confidences(p: Array, said: Flags, shown: Flags, multi: bool) -> tuple[Array, Flags]:
    """The confidence of each answer, and whether it is right: (N, 1), or (N, C) for multi-label.

    The arguments are (N, C): probabilities, named classes, and classes that are shown.
    """
    if multi:
        return np.where(said, p, 1 - p), np.asarray(said == shown)
    return p[said][:, None], np.asarray((said & shown).any(axis=1, keepdims=True))


def calibration_error(sure: Array, right: Flags) -> float:
    """Expected calibration error, 0 to 1: mean |confidence - accuracy| over 15 equal bins."""
    counts, said, correct = _bins(sure, right)
    return float(np.abs(said - correct).sum() / counts.sum())


def calibration_interval(
    sure: Array,  # (N, 1) or (N, C)
    right: Flags,
) -> Interval:
    """The 95 % interval of the calibration error that unlimited pictures would show.

    A resampled error never reaches 0, because chance alone separates confidence from accuracy. So
    the lower end is what is certain: the distance of the mean confidence from the interval of the
    accuracy (the error is never less than that). For the upper end, each bin's accuracy is drawn
    from its posterior with Jeffreys' prior: Brown, Cai and DasGupta, "Interval estimation for a
    binomial proportion" (Statistical Science 2001).
    """
    counts, said, correct = _bins(sure, right)
    worth = effective(right) / right.size  # several answers about one picture count as fewer
    low, high = of_share(float(right.mean()) * right.size * worth, right.size * worth)
    least = max(low - float(sure.mean()), float(sure.mean()) - high, 0.0)
    wrong = counts - correct
    drawn = np.random.default_rng(0).beta(
        correct * worth + 0.5, wrong * worth + 0.5, size=(DRAWS, len(counts))
    )
    errors = np.abs(drawn * counts - said).sum(axis=1) / counts.sum()
    most = float(np.quantile(errors, (1 + LEVEL) / 2))
    error = calibration_error(sure, right)
    return min(least, error), max(most, error)


def reliability(sure: Array, right: Flags) -> list[dict[str, object]]:
    """For each bin with answers: mean confidence, accuracy with its interval, number of answers."""
    worth = effective(right) / right.size
    return [
        {
            "said": float(said / count),
            "right": float(correct / count),
            "right_interval": list(of_share(correct * worth, count * worth)),
            "pictures": int(count),
        }
        for count, said, correct in zip(*_bins(sure, right), strict=True)
    ]


def _bins(sure: Array, right: Flags) -> tuple[Array, Array, Array]:
    """For each bin with answers: their number, the sum of confidences, and how many are right."""
    place = np.clip((sure.ravel() * BINS).astype(int), 0, BINS - 1)
    weights = (None, sure.ravel(), right.ravel().astype(float))
    counts, said, correct = (np.bincount(place, each, BINS).astype(float) for each in weights)
    held = counts > 0
    return counts[held], said[held], correct[held]
