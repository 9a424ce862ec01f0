"""95 % confidence intervals, each by a published method.

All of them assume that pictures are independent of each other.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, norm

from kezako.model.decision import Array, Flags

Interval = tuple[float, float]

LEVEL = 0.95
Z = float(norm.ppf((1 + LEVEL) / 2))
DRAWS = 2000  # random draws; the seed is fixed
# What is fitted for each part varies between parts, so an interval that assumes independent answers
# is too narrow: Bates, Hastie and Tibshirani, "Cross-validation: what does it estimate and how well
# does it do it?" (JASA 2024). For thresholds, tests/export/test_crossfit.py simulates by how much:
# the variance is 1.3 to 1.5 times as large; for the limit of "none of these" it is no more.
CROSSFITTED = 1.5
TINY = 1e-12  # distance from the ends of the range in which a root is searched


def of_share(
    count: float,  # for example, wrong answers; a fraction if `of` is an effective number
    of: float,
) -> Interval:
    """Interval of a proportion, such as an error rate; (0, 1) if `of` is 0.

    Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 1927).
    """
    if not of:
        return 0.0, 1.0
    share, square = count / of, Z * Z / of
    middle = (share + square / 2) / (1 + square)
    half = Z * np.sqrt(share * (1 - share) / of + square / (4 * of)) / (1 + square)
    return float(max(middle - half, 0)), float(min(middle + half, 1))


def effective(
    flags: Flags,  # (N, C): several yes-or-no answers per picture
) -> float:
    """The effective number of independent answers among those of N pictures, from N to N * C.

    Korn and Graubard, "Confidence intervals for proportions with small expected number of positive
    counts" (Survey Methodology 1998): their number divided by the design effect. If all answers are
    the same, the design effect is unknown, and N is returned.
    """
    pictures, each = flags.shape
    share = flags.mean()
    alone = share * (1 - share) / flags.size  # variance of the mean of independent answers
    if alone == 0 or pictures < 2:
        return float(pictures)
    together = flags.mean(axis=1).var(ddof=1) / pictures
    return float(flags.size / np.clip(together / alone, 1, each))


def of_answers(
    flags: Flags,  # (N, C), several answers for each picture
    doubt: float = 1,  # CROSSFITTED if the answers depend on cross-fitted thresholds
) -> Interval:
    """Interval of the share of `flags` that are True."""
    count = effective(flags) / doubt
    return of_share(float(flags.mean()) * count, count)


def of_rank(rank: float, pictures: int) -> Interval:
    """Interval of the share of new pictures that are below the one with `rank` among `pictures`.

    For any distribution, that share is distributed as Beta(rank, pictures + 1 - rank): Wilks,
    "Determination of sample sizes for setting tolerance limits" (Annals of Mathematical Statistics
    1941).
    """
    low, high = beta.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2], rank, pictures + 1 - rank)
    return float(low), float(high)


def of_mean(values: Array) -> Interval:
    """Interval of the mean of `values` (N,), such as a log loss.

    Percentiles of bootstrapped means: Efron, "Bootstrap methods" (Annals of Statistics 1979).
    """
    chance = np.random.default_rng(0)
    means = [values[chance.integers(0, len(values), len(values))].mean() for _ in range(DRAWS)]
    return _middle(np.array(means))


def of_difference(
    before: Flags,  # (N, C): wrong answers of one model
    after: Flags,  # (N, C): those of another model, for the same pictures
    doubt: float = 1,  # as in `of_answers`
) -> Interval:
    """Interval of the error rate of `before` minus that of `after`, for the same pictures.

    Agresti and Min, "Simple improved confidence intervals for comparing matched proportions"
    (Statistics in Medicine 2005): adds two pictures, one with a better and one with a worse answer.
    """
    pictures, each = before.shape
    gained = before.mean(axis=1) - after.mean(axis=1)  # (N,), in steps of 1 / C
    count = pictures + 2
    mean = gained.sum() / count
    variance = ((gained**2).sum() + 1 / each**2) / count - mean**2
    half = Z * np.sqrt(doubt * variance / count)
    return float(max(mean - half, -1)), float(min(mean + half, 1))


def of_two_shares(before: float, after: float, pictures: int) -> Interval:
    """Interval of `before` minus `after`, if it is not known which pictures agree.

    Newcombe, "Interval estimation for the difference between independent proportions" (Statistics
    in Medicine 1998), method 10. For the same pictures it is wider than necessary.
    """
    low, high = of_share(before * pictures, pictures)
    lowest, highest = of_share(after * pictures, pictures)
    gained = before - after
    down = np.hypot(before - low, highest - after)
    up = np.hypot(high - before, after - lowest)
    return float(gained - down), float(gained + up)


def of_auroc(auroc: float, known: int, other: int) -> Interval:
    """Interval of the area under the ROC curve that separates `other` pictures from `known` ones.

    Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic.
    Part 2" (Statistics in Medicine 2006), method 5.
    """
    size = (known + other) / 2 - 1

    def outside(area: float) -> float:  # below 0 for areas that are compatible with `auroc`
        spread = 1 + size * (1 - area) / (2 - area) + size * area / (1 + area)
        return (area - auroc) ** 2 - Z * Z * area * (1 - area) * spread / (known * other)

    inside = float(np.clip(auroc, 2 * TINY, 1 - 2 * TINY))
    low = 0.0 if outside(TINY) <= 0 else brentq(outside, TINY, inside)
    high = 1.0 if outside(1 - TINY) <= 0 else brentq(outside, inside, 1 - TINY)
    return float(low), float(high)


def _middle(draws: Array) -> Interval:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
