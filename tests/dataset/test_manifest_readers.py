"""Who reads a manifest changes nothing, repairs nothing, and needs no place to write."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kezako.clean.marks import set_mark
from kezako.dataset import split
from kezako.dataset.manifest import FILE, Manifest, changing
from kezako.dataset.moves import Moves
from kezako.dataset.row import Row
from kezako.gather import gather_from
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.workspace import Workspace
from tests.clean.pictures import fill
from tests.gather.saved import files_below
from tests.needs import only_where
from tests.rights import run, without_write_bits

# Writes a row and is killed, so that the row is in the write-ahead log alone.
KILLED = """
import os, signal, sys
from pathlib import Path
from kezako.dataset.manifest import Manifest, Row
manifest = Manifest(Path(sys.argv[1]))
manifest.add(Row("red", "kept", title="in the log"))
os.kill(os.getpid(), signal.SIGKILL)
"""
COUNTS = """
import sys
from pathlib import Path
from kezako.dataset.manifest import Manifest
with Manifest(Path(sys.argv[1]), read_only=True) as manifest:
    print([row.title for row in manifest.rows() if row.title])
"""


@pytest.fixture
def colours(an_empty_workspace: Workspace) -> Recipe:
    return fill(an_empty_workspace, each=12)


@pytest.fixture
def folder(an_empty_workspace: Workspace, colours: Recipe) -> Path:
    return an_empty_workspace.folder(colours.name)


def test_a_reader_repairs_nothing(folder: Path, an_empty_workspace: Workspace) -> None:
    with Manifest(folder) as manifest:
        gone, *others = manifest.kept()
    (folder / str(gone.file)).unlink()
    (folder / "incoming").mkdir(exist_ok=True)
    (folder / "incoming" / "red~0.jpg").write_bytes(b"on its way")
    before = files_below(folder)
    with Manifest(folder, read_only=True) as manifest:
        assert manifest.on_disk() == others
        assert manifest.rows(id=gone.id) == [gone]
    assert files_below(folder) == before
    with changing(folder) as manifest:
        assert manifest.rows(id=gone.id)[0].status == "missing"
    assert not (folder / "incoming" / "red~0.jpg").exists()


def test_a_reader_cannot_write(folder: Path) -> None:
    with Manifest(folder, read_only=True) as manifest, pytest.raises(Exception, match="readonly"):
        manifest.set_mark(manifest.kept()[0], "delete")


def test_no_file_is_no_rows_and_makes_none(tmp_path: Path) -> None:
    with Manifest(tmp_path / "nobody", read_only=True) as manifest:
        assert manifest.rows() == manifest.on_disk() == []
    assert not list(tmp_path.iterdir())
    (tmp_path / FILE).touch()  # a kill struck before its tables were written
    with Manifest(tmp_path, read_only=True) as manifest:
        assert manifest.rows() == []


def test_a_picture_on_its_way_to_another_class_is_there(
    folder: Path, colours: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Moves, "finish", lambda self: None)  # as if it were killed just here
    with Manifest(folder) as manifest:
        row = manifest.rows(folder="red")[0]
        before = str(row.file)
        row.folder, row.file = "blue", before.replace("/red/", "/blue/")
        manifest.moves.write([row])
    with Manifest(folder, read_only=True) as manifest:
        (found,) = [other for other in manifest.on_disk() if other.id == row.id]
    assert (found.folder, found.file) == ("blue", before)


@only_where(sys.platform != "win32", "POSIX rights and signals")
@pytest.mark.parametrize("state", ["closed", "log", "log without index", "written by another"])
def test_it_reads_where_nothing_can_be_written(tmp_path: Path, state: str) -> None:
    folder = tmp_path / "data"
    with Manifest(folder) as manifest:
        manifest.add(Row("red", "kept", title="closed"))
    titles = ["closed"]
    if state.startswith("log"):
        killed = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
        assert killed.returncode == -signal.SIGKILL
        titles.append("in the log")
        assert (folder / f"{FILE}-wal").stat().st_size
    if state == "log without index":
        (folder / f"{FILE}-shm").unlink()
    writer: Iterator[Manifest] | None = None
    if state == "written by another":
        writer = iter([Manifest(folder)])  # which has its log open, until the test ends
    with without_write_bits(folder):
        found = run("-c", COUNTS, str(folder))
        assert (found.stdout.strip(), found.stderr) == (str(titles), "")
    del writer


@only_where(sys.platform != "win32", "POSIX rights")
@pytest.mark.parametrize(
    "command",
    [
        ["pictures"],
        ["pictures", "--csv"],
        pytest.param(["clean", "--top", "3"], marks=pytest.mark.hosts),  # with torch
    ],
)
def test_listing_commands_work_on_what_only_can_be_read(
    folder: Path, an_empty_workspace: Workspace, command: list[str]
) -> None:
    with without_write_bits(an_empty_workspace.root):
        before = files_below(an_empty_workspace.root)
        done = run(
            "-m", "kezako", command[0], "colours", *command[1:],
            KEZAKO_HOME=str(an_empty_workspace.root), KEZAKO_WEIGHTS="starter",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert ("pictures/" if command[0] == "clean" else "red") in done.stdout
        assert files_below(an_empty_workspace.root) == before


@only_where(sys.platform != "win32", "POSIX rights")
def test_changing_it_there_is_refused_with_a_sentence(
    folder: Path, an_empty_workspace: Workspace
) -> None:
    with without_write_bits(an_empty_workspace.root):
        done = run("-m", "kezako", "clean", "colours", "--undo",
                   KEZAKO_HOME=str(an_empty_workspace.root))  # fmt: skip
    assert done.returncode == 2
    assert "You have no permission for" in done.stderr


def test_a_mark_set_while_pictures_are_grouped_is_not_lost(
    folder: Path, an_empty_workspace: Workspace, colours: Recipe
) -> None:
    with changing(folder) as gathering:
        for row in gathering.kept():
            row.near = row.split = None
            gathering.update(row, "near", "split")
        stale = gathering.kept()
        gathering.kept = lambda: stale  # type: ignore[method-assign]  # read before the mark
        with Manifest(folder) as cleaner:
            set_mark(cleaner, cleaner.kept()[0], "delete")
        split.group(gathering)
        split.divide(gathering, colours)
        row = gathering.rows(id=stale[0].id)[0]
    assert (row.mark, row.near, row.split is None) == ("delete", row.id, False)


def test_a_training_keeps_its_pictures_whatever_is_moved(
    folder: Path, an_empty_workspace: Workspace, colours: Recipe
) -> None:
    pictures = Pictures(colours, an_empty_workspace)
    before = {path: path.read_bytes() for path in pictures.paths}
    assert len(before) == 36
    assert [path.parent.name for path in pictures.paths] == [row.folder for row in pictures.rows]
    shutil.move(folder / "pictures" / "red", folder / "elsewhere")
    for path in (folder / "pictures").rglob("*.jpg"):
        path.unlink()
    assert {path: path.read_bytes() for path in pictures.paths} == before
    del pictures
    assert all(path.is_file() for path in before), "DataLoaders hold no more than paths"


@pytest.mark.hosts  # with torch, twice
def test_what_a_killed_training_left_is_swept_and_what_a_living_one_has_is_not(
    folder: Path, an_empty_workspace: Workspace, colours: Recipe
) -> None:
    program = (
        "import sys\nfrom kezako.train.dataset import Pictures\n"
        "from kezako.workspace import Workspace\n"
        "workspace = Workspace.find()\n"
        "pictures = Pictures(workspace.recipe('colours'), workspace)\n"
        "print('here', flush=True)\nsys.stdin.read()"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True)
    with other:
        assert other.stdout
        assert other.stdout.readline() == "here\n"
        (theirs,) = folder.glob(".training-*")
        Pictures(colours, an_empty_workspace)
        assert len(files_below(theirs)) == 36
        other.kill()
    assert theirs.is_dir()
    before = set(folder.glob(".training-*")) - {theirs}
    subprocess.run([sys.executable, "-c", program], input=b"", check=True)
    assert set(folder.glob(".training-*")) == before, "the killed one's is swept, its own is gone"
    assert len(list(folder.glob(".*.lock"))) == len(before)


def test_without_links_the_pictures_are_read_where_they_lie(
    folder: Path,
    an_empty_workspace: Workspace,
    colours: Recipe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    pictures = Pictures(colours, an_empty_workspace)
    assert {path.parents[1] for path in pictures.paths} == {folder / "pictures"}
    assert not list(folder.glob(".training-*"))


def test_gathering_does_not_wait_for_a_training(
    folder: Path, an_empty_workspace: Workspace, colours: Recipe, tmp_path: Path
) -> None:
    pictures = Pictures(colours, an_empty_workspace)
    (tmp_path / "more" / "red").mkdir(parents=True)
    shutil.copy(pictures.paths[0], tmp_path / "more" / "red" / "a.jpg")
    assert gather_from(colours, an_empty_workspace, tmp_path / "more").kept["red"] == 12
