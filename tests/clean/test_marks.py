"""Marks are committed at once, applied by moving files aside, and undone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from kezako.clean.marks import apply_marks, is_pending, set_mark, undo
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.errors import KezakoError
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.clean.pictures import a_picture, add_picture
from tests.holding import held


def snapshot(manifest: Manifest) -> dict[str, Any]:
    """Every row, and every file below pictures/ and removed/ with its content."""
    files = {
        str(path.relative_to(manifest.folder)): path.read_bytes()
        for part in ("pictures", "removed")
        for path in (manifest.folder / part).rglob("*.jpg")
    }
    return {"rows": [asdict(row) for row in manifest.rows()], "files": files}


def on_disk(manifest: Manifest, row: Row) -> Path:
    return manifest.folder / str(row.file)


def again(manifest: Manifest, row: Row) -> Row:
    return manifest.rows(id=row.id)[0]


def test_a_mark_is_there_for_others_at_once(the_manifest: Manifest) -> None:
    row = the_manifest.kept()[0]
    set_mark(the_manifest, row, "delete")
    with Manifest(the_manifest.folder) as other:
        assert again(other, row).mark == "delete"
    set_mark(the_manifest, row, None)
    assert again(the_manifest, row).mark is None


def test_marking_writes_nothing_but_the_mark(the_manifest: Manifest) -> None:
    row = the_manifest.kept()[0]
    stale = again(the_manifest, row)
    row.title = "found meanwhile"
    the_manifest.update(row)
    set_mark(the_manifest, stale, "keep")
    assert again(the_manifest, row).title == "found meanwhile"


@pytest.mark.parametrize(
    ("mark", "says"),
    [
        ("burn", "A mark is"),
        ("move:red", "already"),
        ("move:../x", "folder name"),
        ("move:", "empty"),
    ],
)
def test_an_impossible_mark_is_refused(the_manifest: Manifest, mark: str, says: str) -> None:
    row = the_manifest.rows(folder="red")[0]
    with pytest.raises(ValueError, match=says):
        set_mark(the_manifest, row, mark)
    assert again(the_manifest, row).mark is None


def test_deleting_sets_aside(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    row = the_manifest.rows(folder="red")[0]
    content = on_disk(the_manifest, row).read_bytes()
    set_mark(the_manifest, row, "delete")
    applied = apply_marks(gathered_colours, an_empty_workspace)
    gone = again(the_manifest, row)
    assert [found.id for found in applied.deleted] == [row.id]
    assert (gone.status, gone.file) == ("removed", f"removed/red/{row.sha256}.jpg")
    assert on_disk(the_manifest, gone).read_bytes() == content
    assert not on_disk(the_manifest, row).exists()
    assert str(applied) == "1 set aside."


def test_moving_changes_the_class_and_neither_split_nor_group(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    rows = the_manifest.rows(folder="red")
    assert rows
    for row in rows:
        set_mark(the_manifest, row, "move:blue")
        apply_marks(gathered_colours, an_empty_workspace)
        moved = again(the_manifest, row)
        assert (moved.folder, moved.status) == ("blue", "kept")
        assert (moved.split, moved.near) == (row.split, row.near)
        assert on_disk(the_manifest, moved).parent.name == "blue"
        assert on_disk(the_manifest, moved).is_file()
        assert not on_disk(the_manifest, row).exists()
        assert not is_pending(moved)


def test_keeping_moves_nothing(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    set_mark(the_manifest, the_manifest.kept()[0], "keep")
    before = snapshot(the_manifest)
    assert str(apply_marks(gathered_colours, an_empty_workspace)) == "Nothing was marked."
    assert snapshot(the_manifest) == before
    assert undo(gathered_colours, an_empty_workspace) == 0


def test_undo_puts_everything_back_batch_by_batch(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    states = [snapshot(the_manifest)]
    reds = the_manifest.rows(folder="red")
    for marks in (["delete", "move:blue"], ["move:green"]):
        for mark in marks:
            set_mark(the_manifest, reds.pop(), mark)
        apply_marks(gathered_colours, an_empty_workspace)
        states.append(snapshot(the_manifest))
    assert undo(gathered_colours, an_empty_workspace) == 1
    assert snapshot(the_manifest) == states[1]
    assert undo(gathered_colours, an_empty_workspace) == 2
    assert snapshot(the_manifest) == states[0]
    assert undo(gathered_colours, an_empty_workspace) == 0


def test_undo_can_bring_the_marks_back(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    set_mark(the_manifest, row := the_manifest.kept()[0], "delete")
    before = snapshot(the_manifest)
    apply_marks(gathered_colours, an_empty_workspace)
    undo(gathered_colours, an_empty_workspace, marks=True)
    assert snapshot(the_manifest) == before
    assert is_pending(again(the_manifest, row))


def test_a_rule_applies_its_own_marks_only(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    mine, theirs = the_manifest.rows(folder="red")[:2]
    set_mark(the_manifest, mine, "delete")
    set_mark(the_manifest, theirs, "delete")
    apply_marks(gathered_colours, an_empty_workspace, only=[mine.id or 0])
    assert again(the_manifest, mine).status == "removed"
    assert is_pending(again(the_manifest, theirs))


def test_a_copy_that_joins_its_twin_is_set_aside(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    jpeg = a_picture("red", 0)
    copy = add_picture(the_manifest, "blue", jpeg, "https://elsewhere.example/0.jpg")
    before = snapshot(the_manifest)
    set_mark(the_manifest, copy, "move:red")
    applied = apply_marks(gathered_colours, an_empty_workspace)
    assert again(the_manifest, copy).status == "removed"
    assert "is in red already" in str(again(the_manifest, copy).reason)
    assert len(applied.deleted) == 1
    undo(gathered_colours, an_empty_workspace)
    assert snapshot(the_manifest)["files"] == before["files"]


def test_an_address_known_to_both_classes_moves(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    row = the_manifest.rows(folder="red")[0]
    the_manifest.add(Row("blue", url=row.url, status="refused", reason="too small: 3 × 3 pixels"))
    before = snapshot(the_manifest)
    set_mark(the_manifest, row, "move:blue")
    apply_marks(gathered_colours, an_empty_workspace)
    assert [(found.folder, found.status) for found in the_manifest.rows(url=row.url)] == [
        ("blue", "kept"), ("red", "refused")]  # fmt: skip
    undo(gathered_colours, an_empty_workspace)
    assert snapshot(the_manifest) == before


def test_undo_survives_an_address_that_was_found_again(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    row = the_manifest.rows(folder="red")[0]
    set_mark(the_manifest, row, "move:blue")
    apply_marks(gathered_colours, an_empty_workspace)
    the_manifest.add(Row("red", url=row.url, status="duplicate", reason="moved by hand"))
    assert undo(gathered_colours, an_empty_workspace) == 1
    assert again(the_manifest, row).folder == "red"
    assert on_disk(the_manifest, row).is_file()
    assert the_manifest.rows(folder="blue", url=row.url)[0].status == "duplicate"


def test_files_of_one_name_do_not_overwrite_each_other(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    rows = [the_manifest.rows(folder=folder)[0] for folder in ("red", "green", "blue")]
    for row in rows:
        named = the_manifest.folder / "pictures" / row.folder / "mine.jpg"
        on_disk(the_manifest, row).rename(named)
        row.file = f"pictures/{row.folder}/mine.jpg"
        the_manifest.update(row)
    before = snapshot(the_manifest)
    for row in rows[1:]:
        set_mark(the_manifest, row, "move:red")
    apply_marks(gathered_colours, an_empty_workspace)
    assert {str(row.file) for row in the_manifest.rows(folder="red")} >= {
        f"pictures/red/{name}.jpg" for name in ("mine", "mine-2", "mine-3")}  # fmt: skip
    undo(gathered_colours, an_empty_workspace)
    assert snapshot(the_manifest) == before


def test_a_class_that_is_none_is_named_and_nothing_is_lost(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    row = the_manifest.kept()[0]
    set_mark(the_manifest, row, "move:violet")
    assert "'violet' is no class" in str(apply_marks(gathered_colours, an_empty_workspace))
    assert on_disk(the_manifest, again(the_manifest, row)).is_file()


def test_nothing_moves_while_pictures_are_gathered(
    the_manifest: Manifest,
    gathered_colours: Recipe,
    an_empty_workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kezako.lock.PATIENCE", 0)
    set_mark(the_manifest, the_manifest.kept()[0], "delete")
    before = snapshot(the_manifest)
    with (
        held(the_manifest.folder, "gather colours", inside=True),
        pytest.raises(KezakoError, match="in use by kezako gather colours"),
    ):
        apply_marks(gathered_colours, an_empty_workspace)
    assert snapshot(the_manifest) == before


def test_a_recipe_without_pictures_says_how_to_get_some(
    gathered_colours: Recipe, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="kezako gather colours"):
        apply_marks(gathered_colours, Workspace(tmp_path / "elsewhere"))
