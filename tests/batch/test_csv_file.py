"""The table of an interrupted run is taken up only where it fits, and replaces only tables."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kezako.batch.csv_file import Sheet
from kezako.batch.run import predict
from kezako.cli import main
from kezako.errors import KezakoError
from kezako.model.bundle import CREDITS, Card, amend, read_card
from kezako.workspace import Workspace
from tests.batch.conftest import rows_of
from tests.holding import held
from tests.needs import only_where

LABELS = ("red", "green", "blue")
ROW = ["a.png", "red", "true", "1.0", "0.0", "0.0", ""]
Draw = Callable[[Path, int], dict[str, str]]


@pytest.fixture
def card(tmp_path: Path, a_bundle: Callable[..., Path]) -> Card:
    return read_card(a_bundle(tmp_path / "models", "colours", LABELS))


def test_rows_of_another_training_are_not_mixed_in(
    tmp_path: Path, a_bundle: Callable[..., Path], card: Card
) -> None:
    with Sheet(tmp_path / "a.csv", card) as sheet:
        sheet.write([ROW])
    other = read_card(a_bundle(tmp_path / "models", "colours", LABELS, title="Again?"))
    with Sheet(tmp_path / "a.csv", other) as sheet:
        assert len(sheet.done) == 0
    assert len(list(tmp_path.glob("a.csv.*.part"))) == 1


def test_rows_outlast_new_credits(tmp_path: Path, card: Card) -> None:
    with Sheet(tmp_path / "a.csv", card) as sheet:
        sheet.write([ROW])
    amend(tmp_path / "models" / "colours", {CREDITS: b"by Ann"})
    with Sheet(tmp_path / "a.csv", read_card(tmp_path / "models" / "colours")) as sheet:
        assert "a.png" in sheet


@pytest.mark.parametrize("name", ["colours", "tints"])
def test_a_second_run_is_refused_and_the_first_loses_no_row(
    name: str,
    a_workspace_of_colours: Workspace,
    a_folder_of_pictures: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kezako.lock.PATIENCE", 0)
    a_folder_of_pictures(tmp_path / "pictures", 5)
    with Sheet(tmp_path / "a.csv", read_card(a_workspace_of_colours.bundle("colours"))) as sheet:
        sheet.write([ROW])
    before = {path: path.read_bytes() for path in tmp_path.glob("a.csv*")}
    assert before
    with (
        held(tmp_path / "a.csv", "predict colours"),
        pytest.raises(KezakoError, match=r"a\.csv is in use by kezako predict colours"),
    ):
        predict(a_workspace_of_colours, name, [str(tmp_path / "pictures")], tmp_path / "a.csv")
    assert {path: path.read_bytes() for path in tmp_path.glob("a.csv*")} == before
    assert not list(tmp_path.glob(".a.csv*"))


@pytest.mark.parametrize(
    ("before", "replaced"),
    [
        ("", True),
        ("path,label,known,p_cat,p_dog,problem\nx.jpg,cat,true,1,0,\n", True),
        ("path,label,labels,known,p_cat,problem\n", True),
        ("name,address\nAnn,Long Lane\n", False),
        ("path,label\nx.jpg,cat\n", False),
        ("\x89PNG\r\n\x1a\n", False),
    ],
)
def test_only_tables_of_answers_are_replaced(
    before: str,
    replaced: bool,
    a_workspace_of_colours: Workspace,
    a_folder_of_pictures: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KEZAKO_HOME", str(a_workspace_of_colours.root))
    drawn = a_folder_of_pictures(tmp_path / "pictures", 5)
    file = tmp_path / "mine.csv"
    file.write_text(before, encoding="latin-1", newline="")
    command = ["predict", "colours", str(tmp_path / "pictures"), "--csv", str(file)]
    if not replaced:
        assert main(command) == 2
        assert f"{file} is no table of answers" in capsys.readouterr().err
        assert file.read_text(encoding="latin-1") == before.replace("\r\n", "\n")
        assert not list(tmp_path.glob("*.part"))
        command.append("--overwrite")
    assert main(command) == 0
    assert [row["path"] for row in rows_of(file)] == list(drawn)


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path, card: Card) -> None:
    with Sheet(tmp_path / "a.csv", card) as sheet:
        sheet.write([ROW])
        (tmp_path / "a.csv").write_text("mine")
        with pytest.raises(KezakoError, match="no table of answers"):
            sheet.finish()
    assert (tmp_path / "a.csv").read_text() == "mine"
    with Sheet(tmp_path / "a.csv", card, overwrite=True) as sheet:
        assert "a.png" in sheet, "no row is lost"


def test_a_folder_is_no_table(tmp_path: Path, card: Card) -> None:
    with pytest.raises(KezakoError, match="is a folder; name a file in it"):
        Sheet(tmp_path, card).__enter__()


@only_where(os.name != "nt", "links that need no right")
def test_a_link_stays_one(
    a_workspace_of_colours: Workspace, a_folder_of_pictures: Draw, tmp_path: Path
) -> None:
    drawn = a_folder_of_pictures(tmp_path / "pictures", 5)
    (tmp_path / "large disk").mkdir()
    link = tmp_path / "pictures" / "a.csv"
    link.symlink_to(tmp_path / "large disk" / "a.csv")
    for _ in range(2):
        predict(a_workspace_of_colours, "colours", [str(tmp_path / "pictures")], link)
        assert link.is_symlink()
        assert [row["path"] for row in rows_of(link)] == list(drawn), "and is none of the pictures"
    assert [path.name for path in (tmp_path / "large disk").iterdir()] == ["a.csv"]
