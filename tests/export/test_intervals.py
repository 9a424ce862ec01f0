"""Each interval beside an independent computation, and how often the truth lies in it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm, rankdata

from kezako.export import intervals

TRIALS = 400


@pytest.mark.parametrize(("count", "of"), [(0, 1), (0, 20), (4, 50), (20, 238), (7, 7)])
def test_a_share_has_wilsons_interval(count: int, of: int) -> None:
    found = intervals.of_share(count, of)
    expected = binomtest(count, of).proportion_ci(method="wilson")
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_of_nothing_nothing_is_known() -> None:
    assert intervals.of_share(0, 0) == (0, 1)


def test_labels_of_one_picture_that_err_together_count_once() -> None:
    draw = np.random.default_rng(0)
    together = np.repeat(draw.random((200, 1)) < 0.2, 10, axis=1)
    alone = draw.random((200, 10)) < 0.2
    assert intervals.effective(together) == pytest.approx(200, rel=0.01)
    assert intervals.effective(alone) > 1500
    assert intervals.effective(np.zeros((200, 10), dtype=bool)) == 200, "no error tells nothing"
    assert intervals.effective(alone[:, :1]) == pytest.approx(200)


def test_a_share_of_answers_lies_in_its_interval() -> None:
    """Also where a picture's labels err together: mistakes gather in hard pictures."""
    draw = np.random.default_rng(0)
    held = 0
    for _ in range(TRIALS):
        hard = draw.beta(0.5, 2.0, (60, 1))  # 20 % on average
        low, high = intervals.of_answers(draw.random((60, 8)) < hard)
        held += low <= 0.2 <= high
    assert held >= 0.92 * TRIALS


def test_a_mean_lies_in_its_interval() -> None:
    draw = np.random.default_rng(0)
    found = [intervals.of_mean(draw.exponential(size=100)) for _ in range(100)]
    assert sum(low <= 1 <= high for low, high in found) >= 90


@pytest.mark.parametrize("gained", [0.0, 0.1])
def test_a_difference_on_the_same_pictures_lies_in_its_interval(gained: float) -> None:
    draw = np.random.default_rng(0)
    held = widths = wider = 0.0
    for _ in range(TRIALS):
        before = draw.random((100, 1)) < 0.2
        mended = before & (draw.random((100, 1)) < 0.25 + 5 * gained * 0.75)
        broken = ~before & (draw.random((100, 1)) < 0.0625 * (1 - 5 * gained * 0.75))
        after = (before & ~mended) | broken
        true = 0.2 * (0.25 + 3.75 * gained) - 0.8 * 0.0625 * (1 - 3.75 * gained)
        low, high = intervals.of_difference(before, after)
        held += low <= true <= high
        widths += high - low
        apart = intervals.of_two_shares(before.mean(), after.mean(), 100)
        wider += apart[1] - apart[0]
    assert held >= 0.93 * TRIALS
    assert widths < wider, "which pictures agree is known, and worth something"


def test_the_difference_of_two_shares_is_newcombes() -> None:
    # Newcombe 1998, table II: 56/70 against 48/80, method 10.
    first, second = intervals.of_share(56, 70), intervals.of_share(48, 80)
    low = 0.2 - np.hypot(0.8 - first[0], second[1] - 0.6)
    high = 0.2 + np.hypot(first[1] - 0.8, 0.6 - second[0])
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert intervals.of_two_shares(0.8, 0.6, 70)[0] == pytest.approx(
        0.2 - np.hypot(0.8 - first[0], intervals.of_share(42, 70)[1] - 0.6)
    )


@pytest.mark.parametrize("apart", [0.0, 1.0, 2.0])
def test_an_auroc_lies_in_its_interval(apart: float) -> None:
    draw, true = np.random.default_rng(0), norm.cdf(apart / 2**0.5)
    held = 0
    for _ in range(TRIALS):
        ranks = rankdata(np.concatenate([draw.normal(size=60), draw.normal(size=90) + apart]))
        auroc = (ranks[60:].sum() - 90 * 91 / 2) / (60 * 90)
        low, high = intervals.of_auroc(auroc, 60, 90)
        held += low <= true <= high
    assert held >= 0.93 * TRIALS


def test_a_perfect_auroc_of_few_pictures_is_not_sure() -> None:
    low, high = intervals.of_auroc(1.0, 20, 20)
    assert high == 1
    assert 0.8 < low < 0.95
    assert intervals.of_auroc(0.0, 20, 20) == pytest.approx((0, 1 - low), abs=1e-9)
    assert intervals.of_auroc(0.98251, 238, 300) == pytest.approx((0.9669, 0.9907), abs=1e-4)
