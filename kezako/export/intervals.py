"""How far a figure may lie from the truth: 95 % intervals, each by a published method.

All take pictures to be independent of one another.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, norm

from kezako.model.decision import Array, Flags

Interval = tuple[float, float]

LEVEL = 0.95
Z = float(norm.ppf((1 + LEVEL) / 2))
DRAWS = 2000  # of what is drawn at random; always the same ones
# What is chosen anew for each part varies with the parts, so an interval that takes answers to be
# independent is too narrow: Bates, Hastie and Tibshirani, "Cross-validation: what does it estimate
# and how well does it do it?" (JASA 2024). By how much for thresholds, tests/train/test_crossfit.py
# simulates: the variance is 1.3 to 1.5 times as large.
CROSSFITTED = 1.5
TINY = 1e-12  # from the ends of a range in which a root is looked for


def of_share(
    count: float,  # of those that are wrong, or pass; a fraction where `of` is an effective number
    of: float,
) -> Interval:
    """Of a share, such as an error: (0, 1) where there is nothing to count.

    Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 1927).
    """
    if not of:
        return 0.0, 1.0
    share, square = count / of, Z * Z / of
    middle = (share + square / 2) / (1 + square)
    half = Z * np.sqrt(share * (1 - share) / of + square / (4 * of)) / (1 + square)
    return float(max(middle - half, 0)), float(min(middle + half, 1))


def effective(
    flags: Flags,  # (N, C): several yes-or-no answers a picture
) -> float:
    """How many independent answers those of N pictures are worth, from N to N * C.

    Korn and Graubard, "Confidence intervals for proportions with small expected number of positive
    counts" (Survey Methodology 1998): their number over the design effect. Where all are alike
    nothing is known of that, and only pictures count.
    """
    pictures, each = flags.shape
    share = flags.mean()
    alone = share * (1 - share) / flags.size  # variance of the mean of independent answers
    if alone == 0 or pictures < 2:
        return float(pictures)
    together = flags.mean(axis=1).var(ddof=1) / pictures
    return float(flags.size / np.clip(together / alone, 1, each))


def of_answers(
    flags: Flags,  # (N, C), whose columns belong to the same pictures
    doubt: float = 1,  # CROSSFITTED where what gave the answers was chosen for each part
) -> Interval:
    """Of the share of `flags`."""
    count = effective(flags) / doubt
    return of_share(float(flags.mean()) * count, count)


def of_rank(rank: float, pictures: int) -> Interval:
    """Of the share of new pictures that lie below the one of a `rank` among `pictures`.

    Whatever their distribution, that share is distributed as Beta(rank, pictures + 1 - rank):
    Wilks, "Determination of sample sizes for setting tolerance limits" (Annals of Mathematical
    Statistics 1941).
    """
    low, high = beta.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2], rank, pictures + 1 - rank)
    return float(low), float(high)


def of_mean(values: Array) -> Interval:
    """Of the mean of `values` (N,), such as a log loss.

    Percentiles of resampled means: Efron, "Bootstrap methods" (Annals of Statistics 1979).
    """
    chance = np.random.default_rng(0)
    means = [values[chance.integers(0, len(values), len(values))].mean() for _ in range(DRAWS)]
    return _middle(np.array(means))


def of_difference(
    before: Flags,  # (N, C): wrong answers of one model
    after: Flags,  # (N, C): those of another one, about the same pictures
    doubt: float = 1,  # as of `of_answers`
) -> Interval:
    """Of how much smaller the second share is than the first.

    Agresti and Min, "Simple improved confidence intervals for comparing matched proportions"
    (Statistics in Medicine 2005): two more pictures, one with an answer better, one worse.
    """
    pictures, each = before.shape
    gained = before.mean(axis=1) - after.mean(axis=1)  # (N,), in steps of 1 / C
    count = pictures + 2
    mean = gained.sum() / count
    variance = ((gained**2).sum() + 1 / each**2) / count - mean**2
    half = Z * np.sqrt(doubt * variance / count)
    return float(max(mean - half, -1)), float(min(mean + half, 1))


def of_two_shares(before: float, after: float, pictures: int) -> Interval:
    """Of how much smaller the second share is, where which pictures agree is not known.

    Newcombe, "Interval estimation for the difference between independent proportions" (Statistics
    in Medicine 1998), its method 10. Of the same pictures it is wider than need be.
    """
    low, high = of_share(before * pictures, pictures)
    lowest, highest = of_share(after * pictures, pictures)
    gained = before - after
    down = np.hypot(before - low, highest - after)
    up = np.hypot(high - before, after - lowest)
    return float(gained - down), float(gained + up)


def of_auroc(auroc: float, known: int, other: int) -> Interval:
    """Of the area under the curve that tells `other` pictures from `known` ones.

    Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic.
    Part 2" (Statistics in Medicine 2006), its method 5.
    """
    size = (known + other) / 2 - 1

    def outside(area: float) -> float:  # below 0 for the areas that `auroc` does not speak against
        spread = 1 + size * (1 - area) / (2 - area) + size * area / (1 + area)
        return (area - auroc) ** 2 - Z * Z * area * (1 - area) * spread / (known * other)

    inside = float(np.clip(auroc, 2 * TINY, 1 - 2 * TINY))
    low = 0.0 if outside(TINY) <= 0 else brentq(outside, TINY, inside)
    high = 1.0 if outside(1 - TINY) <= 0 else brentq(outside, inside, 1 - TINY)
    return float(low), float(high)


def _middle(draws: Array) -> Interval:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
