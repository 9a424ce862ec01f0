"""Which of a path's folders names the class: the innermost that fits, and it is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kezako.gather import adopt, gather_from
from kezako.gather.summary import Summary
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.boxes import folder_of
from tests.gather.saved import jpeg, recipe_of, rows_of, save

VEHICLES = recipe_of("vehicles", car=["car"], train=["train"], bus=["bus"])
CANINES = recipe_of("canines", dog=["dog"], wolf=["wolf"], fox=["fox"])


@pytest.fixture
def taken(tmp_path: Path, workspace: Workspace) -> Callable[..., Summary]:
    """What is made of a folder with these files."""

    def take(recipe: Recipe, *names: str) -> Summary:
        return gather_from(recipe, workspace, folder_of(tmp_path / "saved", names))

    return take


def test_a_set_of_train_and_test_fills_no_class_that_is_called_so(
    taken: Callable[..., Summary], workspace: Workspace
) -> None:
    names = [f"{side}/{kind}/{n}.jpg"
             for side, count in (("train", 8), ("test", 3))
             for kind in ("car", "train", "bus") for n in range(count)]  # fmt: skip
    summary = taken(VEHICLES, *names)
    assert summary.kept == {"car": 11, "train": 11, "bus": 11}
    titles = [str(row.title) for row in rows_of(workspace, "vehicles", folder="train")]
    assert all("/train/" in title for title in titles)
    (note,) = [note for note in summary.notes if "two classes" in note]
    assert "16 files" in note
    assert "train/bus" in note
    assert "train and bus" in note


def test_what_lies_in_train_and_fits_no_class_is_no_picture_of_a_train(
    taken: Callable[..., Summary],
) -> None:
    summary = taken(VEHICLES, "train/car/1.jpg", "train/plane/2.jpg", "train/3.jpg", "bus/4.jpg")
    assert summary.kept == {"car": 1, "train": 0, "bus": 1}
    (note,) = [note for note in summary.notes if note.startswith("Left out")]
    assert "train/plane (1" in note
    assert "train (1" in note


def test_an_archive_called_after_one_class_does_not_swallow_the_others(
    taken: Callable[..., Summary],
) -> None:
    summary = taken(
        CANINES, "dog/wolf/1.jpg", "dog/fox/2.jpg", "dog/dog/3.jpg", "dog/4.jpg", "dog/coyote/5.jpg"
    )
    assert summary.kept == {"dog": 2, "wolf": 1, "fox": 1}
    assert any("dog/coyote (1" in note for note in summary.notes)
    assert any("2 files of saved lie in folders of two classes" in note for note in summary.notes)


def test_a_folder_of_one_class_holds_all_below_it(taken: Callable[..., Summary]) -> None:
    summary = taken(CANINES, "dog/holiday/beach/1.jpg", "dog/2.jpg")
    assert summary.kept["dog"] == 2
    assert not summary.notes


def test_where_nothing_fits_the_folders_are_named(
    taken: Callable[..., Summary],
) -> None:
    with pytest.raises(ValueError, match=r"No folder of .*saved is named") as told:
        taken(CANINES, "wolves/1.jpg", "wolves/2.jpg", "cats/3.jpg", "4.jpg")
    assert "(dog, wolf, fox)" in str(told.value)
    assert "wolves (2: wolf?), " in str(told.value)
    assert "no folder (1), cats (1). Rename" in str(told.value)


def test_what_is_dropped_into_pictures_goes_by_the_same_rule(workspace: Workspace) -> None:
    pictures = workspace.pictures("canines")
    for number, name in enumerate(["dog/wolf/1.jpg", "dog/walk/2.jpg", "set/fox/3.jpg"]):
        save(pictures / name, jpeg(number))
    save(pictures / "dog" / "4.jpg", jpeg(4))
    summary = adopt(CANINES, workspace)
    assert summary.kept == {"dog": 2, "wolf": 1, "fox": 1}
    kept = {str(row.file) for row in rows_of(workspace, "canines", status="kept")}
    assert {len(Path(file).parts) for file in kept} == {3}, "training reads the class off there"
    assert adopt(CANINES, workspace).added == 0


def test_a_nested_file_that_fits_is_taken_to_where_training_looks(workspace: Workspace) -> None:
    save(workspace.pictures("canines") / "dog" / "beach" / "1.jpg", jpeg(1))
    assert adopt(CANINES, workspace).kept["dog"] == 1
    (row,) = rows_of(workspace, "canines")
    assert Path(str(row.file)).parent.name == "dog"
    assert (workspace.folder("canines") / "originals" / "dog" / "beach" / "1.jpg").is_file()
