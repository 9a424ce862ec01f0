"""`kezako pictures` and `kezako credits`: everything is there, nothing in it takes effect."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from kezako.cli import main
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.gather import gather
from kezako.gather.settings import Settings
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import write_recipe


@pytest.fixture
def home(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace that the command line finds, with one picture of a hostile title."""
    monkeypatch.setenv("KEZAKO_HOME", str(workspace.root))
    write_recipe(workspace, "shapes", 12, "round", "square")
    with Manifest(workspace.folder("shapes")) as manifest:
        row = Row(
            folder="round",
            url="https://a.test/1.jpg",
            title="=HYPERLINK(1) <img src=x> [x](javascript:1)",
            creator="Ann",
            licence="CC BY 2.0",
            page="https://a.test/one> <script>",
            sha256="ab" * 32,
        )
        manifest.store(row, b"x")
        manifest.add(Row("round", "refused", "blank: one colour all over", "https://a.test/2.jpg"))
    return workspace


def test_csv_has_every_row_and_no_formula(
    home: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pictures", "shapes", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["status"] for row in rows] == ["kept", "refused"]
    assert rows[0]["title"].startswith("'=HYPERLINK")
    assert rows[1]["reason"] == "blank: one colour all over"


def test_the_table_can_be_narrowed(home: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pictures", "shapes", "--status", "refused"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.startswith("folder")
    assert "blank: one colour all over" in line


def test_credits_name_creator_licence_and_page(
    home: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["credits", "shapes"]) == 0
    text = Path(capsys.readouterr().out.strip()).read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("- ")]
    assert line.endswith("](<https://a.test/onescript>) by Ann, CC BY 2.0")
    assert "<img" not in text
    assert "[x](" not in text


def test_credits_of_gathered_pictures_are_complete(
    home: Workspace, shapes: Recipe, drawn_settings: Settings
) -> None:
    (home.folder("shapes") / "pictures" / "round" / f"{'ab' * 32}.jpg").unlink()
    gather(shapes, home, ["openverse"], drawn_settings)
    assert main(["credits", "shapes"]) == 0
    text = (home.folder("shapes") / "credits.md").read_text(encoding="utf-8")
    assert text.count("by Photographer") == 24
    assert text.count("https://creativecommons.org/licenses/") == 24


@pytest.mark.parametrize("command", ["pictures", "credits"])
def test_without_pictures_the_next_step_is_said(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    monkeypatch.setenv("KEZAKO_HOME", str(workspace.root))
    write_recipe(workspace, "shapes", 12, "round", "square")
    assert main([command, "shapes"]) == 2
    assert "kezako gather shapes" in capsys.readouterr().err
