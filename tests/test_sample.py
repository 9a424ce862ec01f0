"""The drawn sample: the same on every machine, varied, and finished after an interruption."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image

import kezako.gather.sample
from kezako.cli import main
from kezako.dataset.hashes import NEAR_BITS
from kezako.dataset.manifest import Manifest
from kezako.gather.new import write_recipe
from kezako.gather.sample import CLASSES, draw_face, draw_sample
from kezako.workspace import Workspace

# The first face of each class at seed 42, as 4 x 3 mean colours; loose enough for another
# version of Pillow, far too tight for another drawing.
FIRST_FACES = {
    "happy": "2e45a86083ae90bdc5597bac87436d89adb384a5ad8db1b7ac68239283697170739a8361",
    "sad": "e2a620ad9b77ac998bd79698b99f5388939d868f9ab195a0dda4239a806a9a7778d49598",
    "surprised": "755873869e9c8ca4a1755f777f7a89a3b9afa2beb5807c8b6c2e60796f7d7f7a89683065",
}


@pytest.fixture(scope="module")
def faces() -> dict[tuple[str, int], Image.Image]:
    """25 faces of each class."""
    return {(mood, number): draw_face(mood, number) for mood in CLASSES for number in range(25)}


@pytest.mark.parametrize("mood", CLASSES)
def test_the_first_faces_are_those_of_every_machine(mood: str) -> None:
    colours = np.frombuffer(bytes.fromhex(FIRST_FACES[mood]), np.uint8).astype(int)
    drawn = np.asarray(draw_face(mood, 0).resize((4, 3), Image.Resampling.BOX), int).ravel()
    assert abs(drawn - colours).max() <= 3


def test_a_face_follows_from_its_seed_class_and_number_alone() -> None:
    again = draw_face("sad", 7, seed=3)
    assert draw_face("sad", 7, seed=3).tobytes() == again.tobytes()
    for other in (("sad", 7, 4), ("sad", 8, 3), ("happy", 7, 3)):
        assert draw_face(*other).tobytes() != again.tobytes()


def test_faces_vary_in_colour_and_size(faces: dict[tuple[str, int], Image.Image]) -> None:
    means = np.array([np.asarray(face).mean(axis=(0, 1)) for face in faces.values()])  # (N, 3)
    assert means.std(axis=0).min() > 15
    assert len({face.size for face in faces.values()}) > len(faces) / 2


def test_no_two_faces_are_taken_for_the_same(faces: dict[tuple[str, int], Image.Image]) -> None:
    hashes = [imagehash.phash(face, hash_size=16) for face in faces.values()]
    distances = np.array([one - other for one, other in combinations(hashes, 2)])
    assert np.mean(distances <= NEAR_BITS) < 0.001


def test_the_command_draws_and_registers_them(
    an_empty_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", "smileys", "--pictures", "10"]) == 0
    assert "Next: kezako train smileys" in capsys.readouterr().out
    assert an_empty_workspace.recipe("smileys").labels == CLASSES
    with Manifest(an_empty_workspace.folder("smileys")) as manifest:
        kept = manifest.kept()
    assert sorted(row.folder for row in kept) == sorted(CLASSES * 10)
    assert {row.split for row in kept} == {"train", "valid"}


def test_an_interrupted_drawing_is_taken_up(
    an_empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_write = kezako.gather.sample._write
    written: list[Path] = []

    def write_until_killed(path: Path, content: bytes) -> None:
        if len(written) == 5:
            path.with_name(f".{path.name}.part").write_bytes(content[:100])  # half a file
            raise KeyboardInterrupt
        written.append(path)
        whole_write(path, content)

    monkeypatch.setattr(kezako.gather.sample, "_write", write_until_killed)
    with pytest.raises(KeyboardInterrupt):
        draw_sample(an_empty_workspace, pictures=3)
    monkeypatch.undo()
    times = {path: path.stat().st_mtime_ns for path in written}
    draw_sample(an_empty_workspace, pictures=3)
    pictures = an_empty_workspace.pictures("smileys")
    files = sorted(path for path in pictures.rglob("*") if path.is_file())
    assert len(files) == 9
    for path in files:
        Image.open(path).load()
    assert {path: path.stat().st_mtime_ns for path in written} == times


def test_more_can_be_drawn_later(an_empty_workspace: Workspace) -> None:
    draw_sample(an_empty_workspace, pictures=2)
    pictures = an_empty_workspace.pictures("smileys")
    first = {path: path.read_bytes() for path in pictures.rglob("*.jpg")}
    draw_sample(an_empty_workspace, pictures=3)
    draw_sample(an_empty_workspace, pictures=2, seed=7)
    assert len(list(pictures.rglob("*.jpg"))) == 3 * 3 + 3 * 2
    assert all(path.read_bytes() == content for path, content in first.items())


def test_a_drawing_that_a_person_removed_does_not_come_back(an_empty_workspace: Workspace) -> None:
    main(["sample", "smileys", "--pictures", "2"])
    folder = an_empty_workspace.folder("smileys")
    with Manifest(folder) as manifest:
        row = manifest.kept()[0]
        (folder / str(row.file)).rename(folder / "aside.jpg")
        row.status = "removed"
        manifest.update(row)
    draw_sample(an_empty_workspace, pictures=2)
    assert not (folder / str(row.file)).exists()


def test_another_recipe_of_that_name_is_left_alone(
    an_empty_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = an_empty_workspace.folder("smileys") / "recipe.toml"
    write_recipe(path, "[classes]\ncat = []\ndog = []\n")
    assert main(["sample", "smileys", "--pictures", "2"]) == 2
    assert "is a recipe of something else" in capsys.readouterr().err
    assert not an_empty_workspace.pictures("smileys").exists()


@pytest.mark.parametrize("number", ["0", "1", "-3", "100001"])
def test_a_bad_number_is_refused(
    an_empty_workspace: Workspace, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    assert main(["sample", "smileys", "--pictures", number]) == 2
    assert "--pictures must be from 2 to 100000" in capsys.readouterr().err
