"""What a retraining says of the one before: the error by class, and what became of the pictures."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection

from kezako.clean.marks import apply_marks, set_mark
from kezako.dataset.manifest import Manifest
from kezako.export.changes import NOTES, changes_since
from kezako.export.plots import plot_changes
from kezako.model.bundle import Card, Preprocessing
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.workspace import Workspace
from tests.clean.pictures import a_picture, add_picture, fill

FIRST, SECOND, THIRD = (f"2026-11-{day}T10:00:00+00:00" for day in (19, 20, 21))
ERRORS = {"blue": 0.1, "green": 0.2, "red": 0.3}


@pytest.fixture
def colours(an_empty_workspace: Workspace) -> Recipe:
    return fill(an_empty_workspace, each=14)  # some are taken away, and 10 must stay


def a_card(finished: str, error: float, previous: dict[str, Any] | None = None) -> Card:
    """A card with the figures that matter here."""
    classes = {name: {"error_interval": [value / 2, 1.5 * value]} for name, value in ERRORS.items()}
    figures: dict[str, Any] = {
        "validation": {
            "pictures": 200, "error": error, "error_interval": [error / 2, 1.5 * error],
            "error_by_class": ERRORS, "classes": classes,
        },
    }  # fmt: skip
    if previous:
        figures["previous"] = previous
    return Card(
        name="colours", title="Which?", prompt="", answer="", labels=("blue", "green", "red"),
        task="single", preprocessing=Preprocessing(32, "squish"), precision="fp32",
        temperature=1.0, thresholds={}, known=None, figures=figures,
        training={"finished": finished},
    )  # fmt: skip


def before(finished: str, error: float, gained: float = 0.1) -> dict[str, Any]:
    by_class = {"blue": 0.1, "green": 0.4, "red": 0.5}
    interval = [gained - 0.04, gained + 0.04]
    return {
        "finished": finished, "error": error, "error_by_class": by_class,
        "gained": gained, "gained_interval": interval,
    }  # fmt: skip


def test_the_first_training_has_nothing_to_compare(
    an_empty_workspace: Workspace, colours: Recipe
) -> None:
    changes = changes_since(a_card(FIRST, 0.1), Pictures(colours, an_empty_workspace))
    assert "first training" in str(changes)
    assert plot_changes(changes) is None


def test_a_retraining_tells_errors_and_pictures(
    an_empty_workspace: Workspace, colours: Recipe
) -> None:
    changes_since(a_card(FIRST, 0.2), Pictures(colours, an_empty_workspace))
    with Manifest(an_empty_workspace.folder("colours")) as manifest:
        red = manifest.rows(folder="red")
        set_mark(manifest, red[0], "delete")
        set_mark(manifest, red[1], "delete")
        set_mark(manifest, red[2], "move:blue")
        add_picture(manifest, "green", a_picture("green", 50))
    apply_marks(colours, an_empty_workspace)
    card = a_card(SECOND, 0.1, before(FIRST, 0.2))
    changes = changes_since(card, Pictures(colours, an_empty_workspace))
    assert str(changes) == (
        "The model before this one (19 November 2026) errs on 20.0 % of today's 200 validation "
        "pictures (40), this one on 10.0 % (20). This one errs 10.0 points less than it (95 % "
        "interval: 6.0 to 14.0). Pictures since then: 2 set aside, 1 moved to another class, 1 new."
    )
    assert str(changes_since(card, Pictures(colours, an_empty_workspace))) == str(changes)
    last = changes_since(
        a_card(THIRD, 0.1, before(SECOND, 0.12, gained=0.02)), Pictures(colours, an_empty_workspace)
    )
    assert str(last).endswith(
        "This one errs 2.0 points less than it, which may be chance (95 % interval: 2.0 points "
        "more to 6.0 points less). Both learnt from the same pictures."
    )


def test_pictures_are_those_that_were_trained_on(
    an_empty_workspace: Workspace, colours: Recipe
) -> None:
    trained = Pictures(colours, an_empty_workspace)
    with Manifest(an_empty_workspace.folder("colours")) as manifest:
        set_mark(manifest, manifest.rows(folder="red")[0], "delete")
    apply_marks(colours, an_empty_workspace)  # in the notebook, after training
    changes_since(a_card(FIRST, 0.2), trained)
    card = a_card(SECOND, 0.1, before(FIRST, 0.2))
    assert "1 set aside" in str(changes_since(card, Pictures(colours, an_empty_workspace)))


@pytest.mark.parametrize("spoilt", ["", "[]", '{"2026-11-19T10:00:00+00:00": {"1": []}}', "{"])
def test_lost_notes_are_said_to_be_lost(
    an_empty_workspace: Workspace, colours: Recipe, spoilt: str
) -> None:
    (an_empty_workspace.folder("colours") / NOTES).write_text(spoilt)
    card = a_card(SECOND, 0.1, before(FIRST, 0.2))
    changes = changes_since(card, Pictures(colours, an_empty_workspace))
    assert "Which pictures changed between the two is not known." in str(changes)


def test_errors_are_drawn_class_by_class(an_empty_workspace: Workspace, colours: Recipe) -> None:
    card = a_card(SECOND, 0.1, before(FIRST, 0.2))
    axes = plot_changes(changes_since(card, Pictures(colours, an_empty_workspace)))
    assert axes is not None
    assert [label.get_text() for label in axes.get_yticklabels()] == [*ERRORS, "all"]
    lines, _, *dots = axes.collections
    assert isinstance(lines, LineCollection)
    assert [line[:, 0].tolist() for line in lines.get_segments()] == [
        pytest.approx([50 * error, 150 * error]) for error in [*ERRORS.values(), 0.1]
    ]
    then, now = (np.asarray(each.get_offsets())[:, 0].tolist() for each in dots)
    assert then == pytest.approx([10, 40, 50, 20])
    assert now == pytest.approx([10, 20, 30, 10])
    axes.figure.canvas.draw()
    plt.close(axes.figure)
