"""A class that is one burst, or the frames of a film, is divided by its order, and that is said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from kezako.dataset.manifest import Manifest
from kezako.dataset.split import BETWEEN
from kezako.gather import adopt, gather_from
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.workspace import Workspace
from tests.gather.saved import rows_of, save
from tests.gather.turned import as_jpeg, film, scene


@pytest.fixture
def webcam(tmp_path: Path) -> Path:
    """34 frames of one thing and 30 of another, numbered without zeros, as webcams save them."""
    for folder, frames in (("round", film(34, 1)), ("square", film(30, 2))):
        for number, frame in enumerate(frames):
            save(tmp_path / "webcam" / folder / f"{number}.jpg", as_jpeg(frame))
    return tmp_path / "webcam"


def numbers(workspace: Workspace, **where: str) -> list[int]:
    rows = rows_of(workspace, "shapes", folder="round", **where)
    return sorted(int(Path(str(row.title)).stem) for row in rows)


def test_it_is_divided_by_order_with_a_gap(
    webcam: Path, shapes: Recipe, workspace: Workspace
) -> None:
    summary = gather_from(shapes, workspace, webcam)
    assert numbers(workspace, split="valid") == list(range(27, 34))
    assert numbers(workspace, reason=BETWEEN) == [24, 25, 26]
    assert numbers(workspace, split="train") == list(range(24))
    notes = [note for note in summary.notes if "one series" in note]
    assert [note.split(":")[0] for note in notes] == ["round", "square"]
    assert "The last 7 judge the training and 3 before them are left out" in notes[0]
    assert "the error flatters" in notes[0]
    assert not summary.conflicts


def test_training_can_begin_and_knows_what_to_say(
    webcam: Path, shapes: Recipe, workspace: Workspace
) -> None:
    gather_from(shapes, workspace, webcam)
    pictures = Pictures(shapes, workspace)
    assert pictures.counts() == {"round": (24, 7), "square": (21, 6)}
    assert any(note.startswith("round: ") for note in pictures.notes)


def test_again_changes_nothing_and_more_frames_are_learnt(
    webcam: Path, shapes: Recipe, workspace: Workspace
) -> None:
    gather_from(shapes, workspace, webcam)
    before = rows_of(workspace, "shapes")
    again = gather_from(shapes, workspace, webcam)
    assert rows_of(workspace, "shapes") == before
    assert again.notes
    assert again.added == 0
    for number, frame in enumerate(film(60, 1)[34:], 34):
        save(webcam / "round" / f"{number}.jpg", as_jpeg(frame, 70))
    more = gather_from(shapes, workspace, webcam)
    assert more.added > 0
    assert numbers(workspace, split="valid") == list(range(27, 34)), "who judges stays"


def test_a_set_that_was_stuck_goes_on(webcam: Path, shapes: Recipe, workspace: Workspace) -> None:
    gather_from(shapes, workspace, webcam)
    with Manifest(workspace.folder("shapes")) as manifest:  # as it was written before
        rows = manifest.rows()
        for row in rows:
            row.status, row.reason, row.split, row.near = "kept", None, "train", rows[0].id
            manifest.update(row)
    adopt(shapes, workspace)
    assert Pictures(shapes, workspace).counts()["round"] == (24, 7)


def test_frames_before_one_background_are_no_conflict(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    shot = film(40, 3)
    for number, frame in enumerate(shot):
        folder = "round" if number < 20 else "square"
        save(tmp_path / "webcam" / folder / f"{number}.jpg", as_jpeg(frame))
    summary = gather_from(shapes, workspace, tmp_path / "webcam")
    assert summary.conflicts == 0
    sides = Counter((row.folder, row.split) for row in rows_of(workspace, "shapes", status="kept"))
    assert sides["round", "valid"] == sides["square", "valid"] == 4


def test_of_several_bursts_one_judges_whole(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    for burst in range(3):
        for number, frame in enumerate(film(12 + burst, 10 + burst)):
            save(tmp_path / "s" / "round" / f"{burst}-{number}.jpg", as_jpeg(frame))
    summary = gather_from(shapes, workspace, tmp_path / "s")
    rows = rows_of(workspace, "shapes", folder="round")
    sides = {(str(row.title)[6], row.split) for row in rows}
    assert sides == {("0", "valid"), ("1", "train"), ("2", "train")}
    assert not [note for note in summary.notes if "series" in note]


def test_a_few_others_beside_a_burst_are_not_all_that_judges(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    for number, frame in enumerate(film(34, 1)):
        save(tmp_path / "s" / "round" / f"{number}.jpg", as_jpeg(frame))
    save(tmp_path / "s" / "round" / "other.jpg", as_jpeg(scene(5)))
    gather_from(shapes, workspace, tmp_path / "s")
    rows = rows_of(workspace, "shapes", split="valid")
    assert len(rows) == 7
    assert "round/other.jpg" in {row.title for row in rows}


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_the_smallest_series(
    frames: int, tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    for number, frame in enumerate(film(frames, 1)):
        save(tmp_path / "s" / "round" / f"{number}.jpg", as_jpeg(frame))
    gather_from(shapes, workspace, tmp_path / "s")
    sides = Counter(row.split for row in rows_of(workspace, "shapes"))
    wanted = {1: {"valid": 1}, 2: {"train": 2}, 3: {"train": 1, None: 1, "valid": 1},
              4: {"train": 2, None: 1, "valid": 1}}  # fmt: skip
    assert sides == wanted[frames]
