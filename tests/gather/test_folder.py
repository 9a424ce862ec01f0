"""Pictures that a person saved in a folder, one sub-folder a class."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.gather import gather_from
from kezako.recipe import Recipe, parse_recipe
from kezako.workspace import Workspace
from tests.gather.saved import encoded, files_below, jpeg, picture, rows_of, save


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Ten round and ten square pictures, as somebody's folders may be spelt."""
    for number in range(10):
        save(tmp_path / "saved" / "Round" / f"{number}.jpg", jpeg(number))
        save(tmp_path / "saved" / "square" / f"{number}.jpg", jpeg(100 + number))
    return tmp_path / "saved"


def test_each_picture_is_copied_under_its_class(
    saved: Path, shapes: Recipe, workspace: Workspace
) -> None:
    before = files_below(saved)
    summary = gather_from(shapes, workspace, saved)
    assert summary.kept == {"round": 10, "square": 10}
    assert len(files_below(workspace.pictures("shapes") / "round")) == 10
    assert files_below(saved) == before, "the person's own folder stays as it was"
    rows = rows_of(workspace, "shapes")
    assert {row.split for row in rows} == {"train", "valid"}
    assert {row.source for row in rows} == {"folder"}
    assert {row.title for row in rows} >= {"Round/0.jpg", "square/9.jpg"}


def test_again_adds_nothing(saved: Path, shapes: Recipe, workspace: Workspace) -> None:
    save(saved / "Round" / "note.txt", b"not a picture")
    gather_from(shapes, workspace, saved)
    rows, files = rows_of(workspace, "shapes"), files_below(workspace.pictures("shapes"))
    assert gather_from(shapes, workspace, saved).added == 0
    assert rows_of(workspace, "shapes") == rows
    assert files_below(workspace.pictures("shapes")) == files


def test_what_is_unreadable_is_kept_out_and_listed(
    saved: Path, shapes: Recipe, workspace: Workspace
) -> None:
    save(saved / "Round" / "empty.jpg", b"")
    save(saved / "Round" / "half.jpg", jpeg(50)[:1500])
    save(saved / "Round" / "page.jpg", b"<html>")
    (saved / "Round" / "gone.jpg").symlink_to(saved / "nowhere.jpg")
    summary = gather_from(shapes, workspace, saved)
    assert summary.kept["round"] == 10
    assert {row.title: row.reason for row in rows_of(workspace, "shapes", status="broken")} == {
        "Round/empty.jpg": "unreadable: This file is empty",
        "Round/gone.jpg": "unreadable: No such file or directory",
        "Round/half.jpg": "unreadable: This picture is damaged or cut short",
        "Round/page.jpg": "unreadable: This file is not a picture",
    }


def test_a_copy_is_a_duplicate_and_a_small_change_is_grouped(
    saved: Path, shapes: Recipe, workspace: Workspace
) -> None:
    save(saved / "Round" / "copy of 0.jpg", jpeg(0))
    width, height = picture(1).size
    cut = picture(1).crop((0, 0, width - 2, height - 1))
    save(saved / "Round" / "cut.jpg", encoded(cut, "JPEG", quality=70))
    gather_from(shapes, workspace, saved)
    rows = {row.title: row for row in rows_of(workspace, "shapes")}
    assert rows["Round/copy of 0.jpg"].status == "duplicate"
    assert rows["Round/copy of 0.jpg"].reason == "same picture: Round/0.jpg"
    assert rows["Round/cut.jpg"].status == "kept"
    assert rows["Round/cut.jpg"].near == rows["Round/1.jpg"].near
    assert rows["Round/cut.jpg"].split == rows["Round/1.jpg"].split


def test_other_folders_are_left_out_with_a_sentence(
    saved: Path, shapes: Recipe, workspace: Workspace
) -> None:
    save(saved / "holiday" / "1.jpg", jpeg(70))
    save(saved / ".DS_Store", b"clutter")
    summary = gather_from(shapes, workspace, saved)
    assert sum(summary.kept.values()) == 20
    assert summary.notes == (
        "Left out of saved, because no class of shapes is called so: holiday (1).",
    )


def test_a_flat_folder_needs_a_class(tmp_path: Path, shapes: Recipe, workspace: Workspace) -> None:
    save(tmp_path / "flat" / "1.jpg", jpeg(1))
    with pytest.raises(ValueError, match=r"Rename its folders.*--class"):
        gather_from(shapes, workspace, tmp_path / "flat")
    assert gather_from(shapes, workspace, tmp_path / "flat", "Square").kept["square"] == 1


@pytest.mark.parametrize("name", ["triangle", "../x", ""])
def test_a_class_that_is_none_is_refused(
    saved: Path, shapes: Recipe, workspace: Workspace, name: str
) -> None:
    with pytest.raises(ValueError, match=r"no class of shapes; its classes are round, square"):
        gather_from(shapes, workspace, saved, name)


def test_a_folder_that_is_missing_or_empty_is_said(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(ValueError, match="no folder or zip file"):
        gather_from(shapes, workspace, tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no files"):
        gather_from(shapes, workspace, tmp_path / "bare")


def test_a_multi_label_recipe_knows_neither_and_both(tmp_path: Path, workspace: Workspace) -> None:
    recipe = parse_recipe(
        'task = "multi"\nneither = ["landscape"]\n[classes]\ncat = []\ndog = []\n', "pets"
    )
    for number, folder in enumerate(["cat", "Dog", "dog + Cat", "Neither", "bird"]):
        save(tmp_path / "saved" / folder / "1.jpg", jpeg(number))
    summary = gather_from(recipe, workspace, tmp_path / "saved")
    kept = {row.folder for row in rows_of(workspace, "pets", status="kept")}
    assert kept == {"cat", "dog", "cat+dog", "neither"}
    assert {folder: recipe.labels_of(folder) for folder in kept} == {
        "cat": ("cat",), "dog": ("dog",), "cat+dog": ("cat", "dog"), "neither": (),
    }  # fmt: skip
    assert "bird (1)" in summary.notes[0]
