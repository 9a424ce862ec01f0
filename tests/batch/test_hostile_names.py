"""File names of strangers: no formulas in a spreadsheet, no broken rows, nothing answered twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from kezako.batch.csv_file import Sheet
from kezako.batch.rows import FORMULA
from kezako.batch.run import predict
from kezako.model.bundle import read_card
from kezako.workspace import Workspace
from tests.batch.conftest import COLOURS, rows_of
from tests.needs import needs

NAMES = ["=1+1.png", "+x.png", "-x.png", "@SUM(A1).png", "a\nb.png", "\rc.png", '"quoted",.png',
         "\tt.png", "名前.png", os.fsdecode(b"\xff.png")]  # fmt: skip


@pytest.fixture
def a_hostile_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, whose files are named without a folder before them."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        try:
            Image.new("RGB", (40, 30), COLOURS["red"]).save(Path(name), "PNG")
        except OSError as error:
            needs("a file system for any name", False, str(error))
    return tmp_path


def test_each_has_one_row_that_no_spreadsheet_runs(
    a_workspace_of_colours: Workspace, a_hostile_folder: Path
) -> None:
    predict(a_workspace_of_colours, "colours", NAMES, a_hostile_folder / "answers.csv")
    rows = rows_of(a_hostile_folder / "answers.csv")
    assert [row["label"] for row in rows] == ["red"] * len(NAMES)
    assert not [row for row in rows for cell in row.values() if cell.startswith(FORMULA)]
    assert [row["path"] for row in rows][:8] == [
        "'=1+1.png", "'+x.png", "'-x.png", "'@SUM(A1).png",
        NAMES[4], "'" + NAMES[5], NAMES[6], "'\tt.png",
    ]  # fmt: skip


def test_an_interrupted_run_knows_them_again(
    a_workspace_of_colours: Workspace, a_hostile_folder: Path
) -> None:
    card = read_card(a_workspace_of_colours.bundle("colours"))
    with Sheet(a_hostile_folder / "answers.csv", card) as sheet:
        sheet.write([[name, *[""] * 6] for name in NAMES])
    with Sheet(a_hostile_folder / "answers.csv", card) as sheet:
        assert all(name in sheet for name in NAMES)
        assert "another.png" not in sheet
        assert len(sheet.done) == len(NAMES)


def test_labels_are_no_formulas(
    a_workspace_of_colours: Workspace, a_hostile_folder: Path, a_bundle: object
) -> None:
    a_bundle(a_hostile_folder / "models", "odd", ("=cmd", "b", "c"))  # type: ignore[operator]
    predict(Workspace(a_hostile_folder), "odd", [NAMES[8]], a_hostile_folder / "odd.csv")
    assert rows_of(a_hostile_folder / "odd.csv")[0]["label"] == "'=cmd"
