"""A split that folders give is kept: what is learnt, what judges, and what is measured once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from PIL import ImageOps

from kezako.gather import adopt, gather_from
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.workspace import Workspace
from tests.gather.saved import jpeg, rows_of, save
from tests.gather.turned import as_jpeg, scene

HASH = "0123456789abcdef0123456789abcdef"


def a_set(root: Path, **sides: int) -> Path:
    """So many pictures of each class in each of these folders."""
    for place, (side, count) in enumerate(sides.items()):
        for kind in ("round", "square"):
            for number in range(count):
                path = root / side / kind / f"{number}.jpg"
                save(path, jpeg(10_000 * (kind == "square") + 1000 * place + number))
    return root


def sides(workspace: Workspace, folder: str = "round") -> Counter[str | None]:
    return Counter(row.split for row in rows_of(workspace, "shapes", folder=folder, status="kept"))


@pytest.mark.parametrize("valid", ["valid", "val", "Validation"])
def test_each_side_stays_what_it_is(
    valid: str, tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    saved = a_set(tmp_path / "set", train=12, **{valid: 5}, test=4)
    summary = gather_from(shapes, workspace, saved)
    assert sides(workspace) == {"train": 12, "valid": 5, "test": 4}
    named = {"train": "train", valid: "valid", "test": "test"}
    for row in rows_of(workspace, "shapes"):
        assert row.split == named[str(row.title).split("/")[0]]
    assert (
        "The split of the folders is kept: 24 training, 10 validation and 8 test pictures."
        in summary.notes
    )
    assert any("measured once" in note for note in summary.notes)
    before = rows_of(workspace, "shapes")
    gather_from(shapes, workspace, saved)
    assert rows_of(workspace, "shapes") == before


def test_training_sees_no_test_picture(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    gather_from(shapes, workspace, a_set(tmp_path / "set", train=12, valid=5, test=4))
    pictures = Pictures(shapes, workspace)
    assert pictures.counts() == {"round": (12, 5), "square": (12, 5)}
    tested = {Path(str(row.file)).name for row in rows_of(workspace, "shapes", split="test")}
    assert {path.name for path in pictures.test} == tested
    assert len(tested) == 8
    assert not tested & {path.name for path in pictures.paths}
    assert not [row for row in pictures.rows if row.split == "test"]


def test_what_is_dropped_into_pictures_keeps_its_side(shapes: Recipe, workspace: Workspace) -> None:
    a_set(workspace.pictures("shapes"), train=5, valid=2, test=1)
    assert adopt(shapes, workspace).kept == {"round": 8, "square": 8}
    assert sides(workspace) == {"train": 5, "valid": 2, "test": 1}


def test_without_a_validation_folder_train_is_divided(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    summary = gather_from(shapes, workspace, a_set(tmp_path / "set", train=15, test=4))
    assert sides(workspace) == {"train": 12, "valid": 3, "test": 4}
    (note,) = [note for note in summary.notes if "are divided" in note]
    assert note.startswith("round, square: ")
    assert "those for training are divided" in note


@pytest.mark.parametrize("side", ["train", "valid", "test"])
def test_one_side_alone_is_no_split(
    side: str, tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    gather_from(shapes, workspace, a_set(tmp_path / "set", **{side: 10}))
    assert sides(workspace) == {"train": 8, "valid": 2}


def test_a_class_without_its_own_side_is_divided_and_the_other_kept(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    saved = a_set(tmp_path / "set", train=10, valid=4)
    for path in (saved / "valid" / "square").iterdir():
        path.unlink()
    gather_from(shapes, workspace, saved)
    assert sides(workspace) == {"train": 10, "valid": 4}
    assert sides(workspace, "square") == {"train": 8, "valid": 2}


def test_more_pictures_keep_to_a_given_split(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    gather_from(shapes, workspace, a_set(tmp_path / "set", train=10, valid=5))
    for number in range(5):
        save(tmp_path / "more" / "round" / f"{number}.jpg", jpeg(500 + number))
    gather_from(shapes, workspace, tmp_path / "more")
    assert sides(workspace)["valid"] == 5, "a fifth was there already"
    assert sides(workspace)["train"] == 15


def test_copies_on_two_sides_are_learnt_and_not_measured(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    saved = a_set(tmp_path / "set", train=6, valid=5, test=3)
    save(saved / "valid/round/same.jpg", jpeg(0))  # of train/round/0.jpg, to the byte
    for number, (side, name) in enumerate(
        [("train", "a"), ("train", "b"), ("test", "a"), ("valid", "b")]
    ):
        path = saved / side / "round" / f"{name}_jpg.rf.{number}{HASH[1:]}.jpg"
        save(path, as_jpeg(scene(number)))
    save(saved / "train/round/whole.jpg", as_jpeg(scene(8)))
    save(saved / "test/round/mirrored.jpg", as_jpeg(ImageOps.mirror(scene(8)), 70))
    summary = gather_from(shapes, workspace, saved)
    assert sides(workspace) == {"train": 6 + 3 + 3, "valid": 5, "test": 3}
    (row,) = rows_of(workspace, "shapes", status="duplicate")
    assert row.title == "valid/round/same.jpg"
    (note,) = [note for note in summary.notes if "another side" in note]
    assert note.startswith("2 validation and 2 test pictures are copies")
    groups = {row.near: set[str]() for row in rows_of(workspace, "shapes", status="kept")}
    for row in rows_of(workspace, "shapes", status="kept"):
        groups[row.near].add(str(row.split))
    assert all(len(found) == 1 for found in groups.values())


def test_a_validation_folder_that_repeats_train_leaves_something_to_judge(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    saved = a_set(tmp_path / "set", train=10)
    for path in saved.glob("train/*/*.jpg"):
        save(saved / "valid" / path.relative_to(saved / "train"), path.read_bytes())
    gather_from(shapes, workspace, saved)
    assert sides(workspace) == {"train": 8, "valid": 2}
