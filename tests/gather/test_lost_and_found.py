"""A picture that was lost or removed, gathered again: it has its row, and lies where it may."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kezako.clean.marks import apply_marks, set_mark
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.gather import adopt, gather_from
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import encoded, jpeg, picture, recipe_of, rows_of, save


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    for number in range(4):
        save(tmp_path / "saved" / "round" / f"{number}.jpg", jpeg(number))
        save(tmp_path / "saved" / "square" / f"{number}.jpg", jpeg(100 + number))
    return tmp_path / "saved"


def lose(workspace: Workspace, title: str) -> Row:
    (row,) = rows_of(workspace, "shapes", title=title)
    (workspace.folder("shapes") / str(row.file)).unlink()
    return row


def mark(workspace: Workspace, recipe: Recipe, title: str, what: str) -> Row:
    """Apply a mark as the cleaner does; the row after it."""
    with Manifest(workspace.folder("shapes")) as manifest:
        (row,) = manifest.rows(title=title)
        set_mark(manifest, row, what)
    apply_marks(recipe, workspace)
    return rows_of(workspace, "shapes", id=row.id)[0]


def test_lost_and_gathered_under_the_same_name_it_is_kept_again(
    workspace: Workspace, shapes: Recipe, saved: Path
) -> None:
    gather_from(shapes, workspace, saved)
    before = rows_of(workspace, "shapes")
    lose(workspace, "round/0.jpg")
    assert gather_from(shapes, workspace, saved).kept["round"] == 4
    after = rows_of(workspace, "shapes")
    for row in (*before, *after):
        row.fetched_at = None
    assert after == before, "on its own side of the split, too"
    assert (workspace.folder("shapes") / str(before[0].file)).is_file()


def test_lost_and_gathered_under_another_name_it_has_a_row(
    workspace: Workspace, shapes: Recipe, saved: Path
) -> None:
    gather_from(shapes, workspace, saved)
    lost = lose(workspace, "round/0.jpg")
    (saved / "round" / "0.jpg").rename(saved / "round" / "renamed.jpg")
    assert gather_from(shapes, workspace, saved).kept["round"] == 4
    (row,) = rows_of(workspace, "shapes", title="round/renamed.jpg")
    assert (row.status, row.file) == ("kept", lost.file)
    (old,) = rows_of(workspace, "shapes", id=lost.id)
    assert (old.status, old.file) == ("missing", None)
    kept = [row.file for row in rows_of(workspace, "shapes", status="kept")]
    assert len(set(kept)) == len(kept) == 8
    assert gather_from(shapes, workspace, saved).added == 0, "and stays so"


def test_a_lost_picture_that_is_dropped_again_is_kept_again(
    workspace: Workspace, shapes: Recipe
) -> None:
    original = workspace.pictures("shapes") / "round" / "large.png"
    large = encoded(picture().resize((900, 700)), "PNG")
    save(original, large)
    adopt(shapes, workspace)
    lost = lose(workspace, "large.png")
    save(original, large)
    assert adopt(shapes, workspace).kept["round"] == 1
    (row,) = rows_of(workspace, "shapes")
    assert (row.id, row.status, row.file) == (lost.id, "kept", lost.file)
    assert (workspace.folder("shapes") / str(row.file)).is_file()


def test_deleted_from_one_class_it_may_be_gathered_into_another(
    workspace: Workspace, shapes: Recipe, saved: Path, tmp_path: Path
) -> None:
    gather_from(shapes, workspace, saved)
    mark(workspace, shapes, "round/0.jpg", "delete")
    save(tmp_path / "more" / "square" / "it is one.jpg", jpeg(0))
    save(tmp_path / "more" / "round" / "it is none.jpg", jpeg(0))
    assert gather_from(shapes, workspace, tmp_path / "more").kept == {"round": 3, "square": 5}
    (refused,) = rows_of(workspace, "shapes", title="round/it is none.jpg")
    assert refused.reason == "removed before: round/0.jpg"


def test_what_was_moved_out_of_a_class_and_then_deleted_stays_out_of_both(
    workspace: Workspace, saved: Path, tmp_path: Path
) -> None:
    recipe = recipe_of("shapes", round=["round"], square=["square"], crooked=["crooked"])
    gather_from(recipe, workspace, saved)
    assert mark(workspace, recipe, "round/0.jpg", "move:square").folder == "square"
    assert mark(workspace, recipe, "round/0.jpg", "delete").status == "removed"
    for folder in ("round", "square", "crooked"):
        save(tmp_path / "more" / folder / "again.jpg", jpeg(0))
    summary = gather_from(recipe, workspace, tmp_path / "more")
    assert summary.kept == {"round": 3, "square": 4, "crooked": 1}


def test_one_place_has_one_row_and_another_is_told(workspace: Workspace) -> None:
    with Manifest(workspace.folder("shapes")) as manifest:
        manifest.add(Row("round", "kept", url="https://a.test/1", file="pictures/round/1.jpg"))
        assert not manifest.add(Row("round", url="https://a.test/1"))
        with pytest.raises(sqlite3.IntegrityError):
            manifest.add(Row("round", url="https://a.test/2", file="pictures/round/1.jpg"))
