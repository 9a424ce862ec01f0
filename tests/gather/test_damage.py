"""A kept picture that is damaged later is set aside with its reason, and the rest goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.gather import adopt, gather_from
from kezako.gather.sample import draw_face
from kezako.recipe import Recipe
from kezako.workspace import Workspace


@pytest.fixture
def some_faces(
    an_empty_workspace: Workspace, gathered_faces: Callable[[Workspace, int], Recipe]
) -> tuple[Recipe, Workspace, Path]:
    """Twelve gathered faces of each mood, and data/smileys."""
    recipe = gathered_faces(an_empty_workspace, 12)
    return recipe, an_empty_workspace, an_empty_workspace.folder(recipe.name)


def rows(folder: Path, **where: str) -> list[Row]:
    with Manifest(folder) as manifest:
        return manifest.rows(**where)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def zeroed(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:2000] + bytes(len(content) - 2000))


def overwritten(path: Path) -> None:
    path.write_text("<html>not found</html>")


@pytest.mark.parametrize("damage", [emptied, cut, zeroed, overwritten])
def test_it_is_set_aside_with_its_reason(
    damage: Callable[[Path], None], some_faces: tuple[Recipe, Workspace, Path]
) -> None:
    recipe, workspace, folder = some_faces
    victim = sorted((folder / "pictures" / "happy").glob("*.jpg"))[3]
    damage(victim)
    content = victim.read_bytes()
    summary = adopt(recipe, workspace)
    assert summary.kept == {"happy": 11, "sad": 12, "surprised": 12}
    assert summary.added == 0
    (row,) = rows(folder, status="broken")
    assert (row.file, row.split) == (f"damaged/happy/{victim.name}", None)
    assert str(row.reason).startswith("damaged: This ")
    assert (folder / str(row.file)).read_bytes() == content
    assert not victim.exists()
    note = "1 picture was damaged after it had been gathered, and is set aside in damaged/"
    assert any(note in each for each in summary.notes)
    assert "1 damaged" in repr(summary)
    assert adopt(recipe, workspace).notes == ()


def test_the_whole_picture_put_back_is_taken_in_again(
    some_faces: tuple[Recipe, Workspace, Path], tmp_path: Path
) -> None:
    recipe, workspace, folder = some_faces
    victim = sorted((folder / "pictures" / "happy").glob("*.jpg"))[3]
    shutil.copy(victim, tmp_path / "backup.jpg")
    emptied(victim)
    adopt(recipe, workspace)
    shutil.copy(tmp_path / "backup.jpg", victim)
    assert adopt(recipe, workspace).kept["happy"] == 12
    assert victim.is_file()
    emptied(victim)  # once more: the name below damaged/ is taken
    adopt(recipe, workspace)
    assert len(list((folder / "damaged" / "happy").iterdir())) == 2


def test_what_a_person_put_in_its_place_stays(
    some_faces: tuple[Recipe, Workspace, Path],
) -> None:
    recipe, workspace, folder = some_faces
    mine = sorted((folder / "pictures" / "sad").glob("*.jpg"))[0]
    draw_face("sad", 99).save(mine, "PNG")  # whatever its name says
    assert adopt(recipe, workspace).kept["sad"] == 12
    assert Image.open(mine).format == "PNG"


def test_a_kill_between_note_and_file_loses_neither(
    some_faces: tuple[Recipe, Workspace, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, workspace, folder = some_faces
    victim = sorted((folder / "pictures" / "happy").glob("*.jpg"))[0]
    emptied(victim)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            adopt(recipe, workspace)
    assert adopt(recipe, workspace).kept["happy"] == 11
    assert not victim.exists()
    assert list(folder.glob(f"originals/happy/{victim.name}"))


def test_no_permission_is_no_damage(
    some_faces: tuple[Recipe, Workspace, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a folder of another owner would be emptied, picture by picture."""
    recipe, workspace, folder = some_faces
    usual = Path.open

    def open_none(path: Path, *given: object, **more: object) -> object:
        if path.suffix == ".jpg":
            raise PermissionError(13, "Permission denied", str(path))
        return usual(path, *given, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", open_none)
    with pytest.raises(PermissionError):
        adopt(recipe, workspace)
    assert len(rows(folder, status="kept")) == 36


def test_gathering_sees_it_too(some_faces: tuple[Recipe, Workspace, Path], tmp_path: Path) -> None:
    recipe, workspace, folder = some_faces
    emptied(sorted((folder / "pictures" / "happy").glob("*.jpg"))[0])
    draw_face("happy", 99).save(tmp_path / "new.jpg")
    (tmp_path / "mine").mkdir()
    shutil.move(tmp_path / "new.jpg", tmp_path / "mine")
    summary = gather_from(recipe, workspace, tmp_path / "mine", "happy")
    assert summary.kept["happy"] == 12
    assert len(rows(folder, status="broken")) == 1


def test_whole_pictures_are_only_looked_at(
    some_faces: tuple[Recipe, Workspace, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, workspace, folder = some_faces

    def decode(_: object) -> None:
        raise AssertionError("a whole picture was decoded")

    monkeypatch.setattr("kezako.gather.damage.open_picture", decode)
    with sqlite3.connect(folder / "manifest.db") as db:
        before = db.execute("SELECT * FROM picture ORDER BY id").fetchall()
        adopt(recipe, workspace)
        assert db.execute("SELECT * FROM picture ORDER BY id").fetchall() == before
