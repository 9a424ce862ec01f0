"""A linked class folder is read like one that lies there; no link leads round in a circle."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kezako.clean.marks import apply_marks, set_mark, undo
from kezako.dataset.manifest import Manifest
from kezako.gather import adopt, gather_from
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.boxes import folder_of
from tests.gather.saved import encoded, files_below, jpeg, picture, rows_of, save
from tests.needs import needs, only_where

pytestmark = only_where(sys.platform != "win32", "links that need no right")


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """Pictures that lie elsewhere."""
    return folder_of(tmp_path / "drive", ["things/1.jpg", "things/deep/2.jpg"], first=50)


def test_a_linked_class_folder_is_taken(
    tmp_path: Path, drive: Path, shapes: Recipe, workspace: Workspace
) -> None:
    saved = folder_of(tmp_path / "saved", ["square/7.jpg", "square/8.jpg", "square/9.jpg"])
    (saved / "round").symlink_to(drive / "things")
    summary = gather_from(shapes, workspace, saved)
    assert summary.kept["round"] == 2
    assert "round/deep/2.jpg" in {row.title for row in rows_of(workspace, "shapes")}
    assert not summary.notes


def test_a_link_to_the_whole_set_is_taken_too(
    tmp_path: Path, drive: Path, shapes: Recipe, workspace: Workspace
) -> None:
    (drive / "things").rename(drive / "round")
    (tmp_path / "saved").symlink_to(drive)
    assert gather_from(shapes, workspace, tmp_path / "saved").kept["round"] == 2


def test_links_round_in_a_circle_end_and_are_said(
    tmp_path: Path, drive: Path, shapes: Recipe, workspace: Workspace
) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    (saved / "round").symlink_to(drive / "things")
    (drive / "things" / "again").symlink_to(saved)
    (drive / "things" / "deep" / "up").symlink_to("..")
    (drive / "things" / "root").symlink_to("/")
    summary = gather_from(shapes, workspace, saved)
    assert summary.kept["round"] == 2
    (note,) = summary.notes
    assert note.startswith("Not read in saved: ")
    assert "round/again (a link to what is read already)" in note
    assert note.count("a link to what is read already") == 3


def test_many_links_among_one_another_are_each_followed_once(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    pools = [tmp_path / "pools" / str(n) for n in range(9)]  # 9! ways lead through them
    for number, pool in enumerate(pools):
        save(pool / f"{number}.jpg", jpeg(number))
        for other in pools:
            if other != pool:
                (pool / f"to-{other.name}").symlink_to(other)
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "round").symlink_to(pools[0])
    assert gather_from(shapes, workspace, tmp_path / "saved").kept["round"] == 9


def test_in_pictures_a_linked_class_folder_stays_as_it_is(
    drive: Path, shapes: Recipe, workspace: Workspace
) -> None:
    save(drive / "things" / "large.png", encoded(picture(3).resize((900, 600)), "PNG"))
    before = files_below(drive)
    workspace.pictures("shapes").mkdir(parents=True)
    (workspace.pictures("shapes") / "round").symlink_to(drive / "things")
    assert adopt(shapes, workspace).kept["round"] == 3
    assert set(before) <= set(files_below(drive)), "nothing of the person's is taken away"
    assert adopt(shapes, workspace).added == 0
    for row in rows_of(workspace, "shapes", status="kept"):
        assert (workspace.folder("shapes") / str(row.file)).is_file()


def test_what_is_set_aside_leaves_another_disk(shapes: Recipe, workspace: Workspace) -> None:
    other = Path("/dev/shm")
    two = other.is_dir() and other.stat().st_dev != workspace.root.stat().st_dev
    needs("a second disk", two, "/dev/shm is none")
    with TemporaryDirectory(dir=other) as place:
        linked = folder_of(Path(place) / "things", ["1.jpg", "2.jpg", "3.jpg"])
        workspace.pictures("shapes").mkdir(parents=True)
        (workspace.pictures("shapes") / "round").symlink_to(linked)
        adopt(shapes, workspace)
        row = rows_of(workspace, "shapes", title="1.jpg")[0]
        with Manifest(workspace.folder("shapes")) as manifest:
            set_mark(manifest, row, "delete")
        (deleted,) = apply_marks(shapes, workspace).deleted
        assert (workspace.folder("shapes") / str(deleted.file)).is_file()
        assert files_below(linked) == ["2.jpg", "3.jpg"]
        assert undo(shapes, workspace) == 1
        assert files_below(linked) == ["1.jpg", "2.jpg", "3.jpg"]


def test_a_folder_that_cannot_be_listed_is_said(
    tmp_path: Path, shapes: Recipe, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = folder_of(tmp_path / "saved", ["round/1.jpg", "square/2.jpg"])
    scandir = os.scandir

    def forbidden(path: str) -> object:  # root may list every folder
        if str(path).endswith("square"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    summary = gather_from(shapes, workspace, saved)
    assert summary.kept == {"round": 1, "square": 0}
    assert "Not read in saved: square (Permission denied)." in summary.notes
