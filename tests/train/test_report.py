"""The report is the executed notebook; one that is to be published holds no gathered picture."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from kezako.model.bundle import may_hold_photos
from kezako.recipe import parse_recipe
from kezako.report import LEFT_OUT, PHOTOS, _environment, _report
from kezako.workspace import Workspace

RECIPE = parse_recipe('title = "Which <b>?"\n[classes]\na = []\nb = []\n', "these")


@pytest.fixture
def executed(tmp_path: Path) -> Path:
    """A notebook with a plot, and a cell that shows gathered pictures."""
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(stream, "PNG")
    picture = {"image/png": base64.b64encode(stream.getvalue()).decode()}
    cells = []
    for tags in ([], [PHOTOS]):
        output = nbformat.v4.new_output("display_data", data=picture)
        cells.append(nbformat.v4.new_code_cell("show()", outputs=[output], metadata={"tags": tags}))
    path = tmp_path / "train.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_report_shows_everything(executed: Path) -> None:
    assert _report(executed, RECIPE, photos=True).count("<img") == 2


def test_a_report_to_publish_keeps_plots_and_leaves_pictures_out(executed: Path) -> None:
    report = _report(executed, RECIPE, photos=False)
    assert report.count("<img") == 1
    assert LEFT_OUT in report


@pytest.mark.parametrize("photos", [True, False])
def test_what_the_notebook_exports_is_to_publish_as_well(tmp_path: Path, photos: bool) -> None:
    """Whatever a maker's own notebook hands to `export`."""
    assert may_hold_photos()
    with _environment(Workspace(tmp_path), tmp_path, photos):
        assert may_hold_photos() is photos
    assert may_hold_photos()


def test_a_report_takes_no_name_for_a_formula(executed: Path) -> None:
    """The script that would comes from elsewhere; none is asked for."""
    report = _report(executed, RECIPE, photos=True)
    assert not re.search(r"<script[^>]*src=[^>]*mathjax", report, re.IGNORECASE)
    assert 'src="data:,"' in report


def test_every_cell_of_the_notebook_that_shows_pictures_is_tagged(the_repository: Path) -> None:
    story = nbformat.read(the_repository / "notebooks" / "train.ipynb", as_version=4)
    words = (
        "show_batch(", "show_image(", "show_first(", "plot_worst(", "Cleaner(recipe",
        "show_confusions(", "gallery.show(",
    )  # fmt: skip
    shows = [cell for cell in story.cells if any(word in cell.source for word in words)]
    assert len(shows) >= 7
    assert all(PHOTOS in cell.metadata.get("tags", ()) for cell in shows)
