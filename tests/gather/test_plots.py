"""The notebook's look at a gathering: the first pictures of each class, and the yield by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import pytest

from kezako.gather import gather
from kezako.gather.plots import REASONS, plot_yield, show_first
from kezako.gather.settings import Settings
from kezako.gather.summary import Summary
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import recipe_of
from tests.standin import Standin


@pytest.fixture(autouse=True)
def no_windows() -> Iterator[None]:
    before = matplotlib.get_backend()
    matplotlib.use("Agg")
    yield
    plt.close("all")
    matplotlib.use(before)


def _bars(summary: Summary) -> dict[str, list[float]]:
    """Reason -> the length of its bar for each class, as drawn."""
    axes = plot_yield(summary)
    _, labels = axes.get_legend_handles_labels()
    return {
        label: [float(bar.get_width()) for bar in bars]
        for label, bars in zip(labels, axes.containers, strict=True)
    }


def test_a_gathering_is_drawn_as_it_went(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    kinds = ("status-404", "status-410", "html")
    urls = drawn_standin.urls("round shape", 12)
    drawn_standin.offer("round shape", [*map(drawn_standin.trouble, kinds), *urls])
    summary = gather(shapes, workspace, ["openverse"], drawn_settings)
    assert _bars(summary) == {"kept": [12, 12], "not found": [2, 0], "not a picture": [1, 0]}
    figure = show_first(shapes, workspace, count=5)
    shown = [len(axes.images) for axes in figure.axes]
    assert shown == [1] * 10
    assert [axes.get_title(loc="left") for axes in figure.axes[::5]] == [
        "round (12)",
        "square (12)",
    ]
    figure.canvas.draw()


def test_a_class_without_pictures_is_an_empty_row(workspace: Workspace, shapes: Recipe) -> None:
    figure = show_first(shapes, workspace, count=3)
    assert [len(axes.images) for axes in figure.axes] == [0] * 6
    assert figure.axes[0].get_title(loc="left") == "round (0)"


def test_rare_reasons_are_one_bar() -> None:
    reasons = Counter({f"reason {n}": 20 - n for n in range(REASONS + 3)})
    summary = Summary("x", {"a": 0, "b": 0}, {}, {"a": reasons, "b": Counter(kept=4)}, {})
    bars = _bars(summary)
    assert list(bars) == ["kept", *(f"reason {n}" for n in range(REASONS)), "other reasons"]
    assert bars["kept"] == [0, 4]
    assert bars["other reasons"] == [12 + 11 + 10, 0]
    assert sum(map(sum, bars.values())) == reasons.total() + 4


def test_names_of_strangers_are_no_formulas(workspace: Workspace) -> None:
    recipe = recipe_of("odd", 12, **{'"$x^{$"': ["x"], "_b": ["y"]})
    figure = show_first(recipe, workspace, count=1)
    figure.canvas.draw()
    assert figure.axes[1].get_title(loc="left") == "_b (0)"
    axes = plot_yield(Summary("odd", {}, {}, {"$x^{$": Counter(kept=2)}, {}))
    axes.figure.canvas.draw()
