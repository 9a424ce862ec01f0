"""What the report draws and says of a fit follows from its figures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection

from kezako.export.plots import plot_gain, plot_reliability
from kezako.train.quick import HeadFit
from tests.cards import a_measured_card


def a_learner(errors: list[float], pictures: int, metric: str = "error_rate") -> Any:
    rows = [{metric: error if "error" in metric else 1 - error} for error in errors]
    lines = SimpleNamespace(rows=rows, seconds=[10.0 * (n + 1) for n in range(len(rows))])
    dls = SimpleNamespace(valid_ds=range(pictures))
    return SimpleNamespace(epoch_lines=lines, dls=dls, metrics=[SimpleNamespace(name=metric)])


@pytest.mark.parametrize(
    ("pictures", "last", "chance"), [(240, 0.2, False), (240, 0.27, True), (20, 0.2, True)]
)
def test_what_a_fit_bought_may_be_chance(pictures: int, last: float, chance: bool) -> None:
    first = HeadFit(error=0.4 if last == 0.2 else 0.3, loss=1.0, seconds=5.0)
    said = str(plot_gain(first, a_learner([0.4, last], pictures)).data)
    assert ("So small a difference may be chance." in said) == chance
    assert f"share of errors among {pictures} validation pictures" in said
    assert f"errs on {100 * last:.1f} % (" in said
    plt.close("all")


def test_labels_of_a_fit_are_named_from_one_half_on() -> None:
    said = str(plot_gain(None, a_learner([0.1], 100, "accuracy_multi")).data)
    assert "a label being named from 50 % on" in said
    plt.close("all")


def test_each_dot_of_the_reliability_has_its_interval() -> None:
    card = a_measured_card()
    axes = plot_reliability(card)
    lines, dots = axes.collections
    assert isinstance(lines, LineCollection)
    ends = [sorted(line[:, 1]) for line in lines.get_segments()]
    bins = card.figures["calibration"]["reliability"]
    assert np.array(ends) == pytest.approx(np.array([each["right_interval"] for each in bins]))
    for (_, right), (low, high) in zip(np.asarray(dots.get_offsets()), ends, strict=True):
        assert low <= right <= high
    plt.close(axes.figure)
