"""What the machine refuses is said in words; what is our own fault is not."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from kezako.dataset.manifest import Manifest, ManifestError
from kezako.errors import TOLD, KezakoError, sentence, size
from kezako.gather import adopt
from kezako.model.bundle import BundleError
from kezako.recipe import Recipe
from kezako.workspace import Workspace


def told(call: Callable[[], object], *places: Path) -> str:
    """What is said of the error that `call` raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        call()
    return str(sentence(caught.value, places))


def test_a_file_in_a_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    words = f"{tmp_path / 'data'} is a file, and a folder belongs there. Move it away"
    assert words in told(lambda: (tmp_path / "data" / "bears").mkdir(parents=True, exist_ok=True))
    assert words in told(lambda: (tmp_path / "data").mkdir(exist_ok=True))
    assert words in told(lambda: (tmp_path / "data" / "bears" / "recipe.toml").read_text())
    assert words in told(lambda: os.scandir(tmp_path / "data"))


def test_a_folder_in_a_files_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").mkdir()
    (tmp_path / "sheet.csv.part").write_text("")
    words = f"{tmp_path / 'sheet.csv'} is a folder, and a file belongs there. Move it away"
    assert words in told(lambda: (tmp_path / "sheet.csv").read_bytes())
    assert words in told(lambda: (tmp_path / "sheet.csv.part").replace(tmp_path / "sheet.csv"))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    assert told(lambda: (tmp_path / "lost").read_text()) == f"There is no {tmp_path / 'lost'}."


def test_a_full_disk_is_told_with_its_place(tmp_path: Path) -> None:
    def write() -> None:  # an error of this kind names no file
        with open("/dev/full", "w") as file:
            file.write("x" * 2**20)

    said = told(write, tmp_path)
    assert said.startswith("The disk is full: ")
    assert f" are free where {tmp_path} lies. Make room there" in said
    gone = tmp_path / "no" / "longer" / "there"
    named = OSError(errno.ENOSPC, "No space left on device", str(gone))
    assert f" are free where {tmp_path} lies" in str(sentence(named))


def test_no_permission_is_told_with_the_owner(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("")
    mine.chmod(0)
    somebody = os.geteuid() or 65534  # whom modes bind, unlike root

    def as_somebody() -> None:
        before = os.geteuid()
        os.seteuid(somebody)
        try:
            mine.read_text()
        finally:
            os.seteuid(before)

    said = told(as_somebody)
    assert said.startswith(f"You have no permission for {mine} (it is {mine.owner()}'s). ")
    assert "KEZAKO_HOME" in said


def test_too_many_open_files_are_told_with_the_remedy(tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")), before[1]))
    held = []

    def open_many() -> None:
        while True:
            held.append(open(os.devnull))  # noqa: SIM115

    try:
        with pytest.raises(OSError, match="Too many") as caught:
            open_many()
    finally:
        for file in held:
            file.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert "ulimit -n" in str(sentence(caught.value))


def test_a_server_that_does_not_answer_is_told() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        address = silent.getsockname()
        for call in (
            lambda: socket.create_connection(address),
            lambda: urllib.request.urlopen(f"http://{address[0]}:{address[1]}/"),
        ):
            assert told(call) == "The network does not answer: Connection refused."


def test_what_cannot_be_copied_is_told(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "lost").symlink_to(tmp_path / "nowhere")
    said = told(lambda: shutil.copytree(tmp_path / "one", tmp_path / "two"))
    assert said.startswith(f"{tmp_path / 'one' / 'lost'} cannot be copied to ")


@pytest.mark.parametrize(
    "fault",
    [
        ValueError("This DataLoader does not contain any batches"),
        OSError("image file is truncated"),  # Pillow's; whoever opens pictures has to expect it
        sqlite3.IntegrityError("UNIQUE constraint failed"),
        sqlite3.ProgrammingError("Cannot operate on a closed database."),
        RuntimeError("boom"),
    ],
)
def test_a_fault_of_ours_has_no_sentence(fault: Exception) -> None:
    assert sentence(fault) is None


def test_sql_that_makes_no_sense_has_none_either() -> None:
    with pytest.raises(sqlite3.Error) as caught:
        sqlite3.connect(":memory:").execute("selec 1")
    assert sentence(caught.value) is None


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 KB"), (2048, "2 KB"), (3 << 20, "3.0 MB"), (5 << 29, "2.5 GB")]
)
def test_bytes_are_said_as_people_say_them(count: int, said: str) -> None:
    assert size(count) == said


def test_a_notebook_shows_the_sentence_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = InteractiveShell()
    shown: list[list[str]] = []
    monkeypatch.setattr(shell, "_showtraceback", lambda kind, value, lines: shown.append(lines))
    shell.run_cell(
        "from kezako.model.bundle import BundleError\nraise BundleError('Train it again.')"
    )
    shell.run_cell("1 / 0")
    assert shown[0] == [f"{TOLD}Train it again."]
    assert any("ZeroDivisionError" in line for line in shown[1])
    assert issubclass(BundleError, KezakoError)
    assert shell.extension_manager is not None
    shell.extension_manager.load_extension("kezako.errors")
    shell.run_cell("open('/lost')")
    shell.run_cell("raise OSError('of a library')")
    assert any("FileNotFoundError" in line for line in shown[2])
    assert shown[2][-1] == f"{TOLD}There is no /lost."
    assert not any(TOLD in line for line in shown[3])


@pytest.fixture
def some_smileys(
    an_empty_workspace: Workspace, gathered_faces: Callable[[Workspace, int], Recipe]
) -> tuple[Recipe, Workspace, Path]:
    """Gathered faces, and their manifest's file."""
    recipe = gathered_faces(an_empty_workspace, 12)
    file = an_empty_workspace.folder(recipe.name) / "manifest.db"
    with Manifest(file.parent) as manifest:  # which then lies in one file
        manifest._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return recipe, an_empty_workspace, file


def garbage(file: Path) -> None:
    file.write_bytes(os.urandom(8192))


def cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 3])


@pytest.mark.parametrize("damage", [garbage, cut])
def test_damaged_notes_are_told_and_the_advice_helps(
    damage: Callable[[Path], None], some_smileys: tuple[Recipe, Workspace, Path]
) -> None:
    recipe, workspace, file = some_smileys
    pictures = sorted(path.name for path in (file.parent / "pictures").rglob("*.jpg"))
    damage(file)
    with pytest.raises(ManifestError) as caught:
        adopt(recipe, workspace)
    said = str(caught.value)
    assert f"{file} is damaged (" in said
    assert f"No picture is lost: they are in {file.parent / 'pictures'}." in said
    advice = said.split("set the notes aside with: ")[1].split(" - then ")[0]
    subprocess.run(advice, shell=True, check=True)
    assert not list(file.parent.glob("manifest.db*"))
    assert sum(adopt(recipe, workspace).kept.values()) == len(pictures) == 36
    assert sorted(path.name for path in (file.parent / "pictures").rglob("*.jpg")) == pictures


def test_a_database_of_another_kind_is_no_manifest(
    some_smileys: tuple[Recipe, Workspace, Path],
) -> None:
    recipe, workspace, file = some_smileys
    file.unlink()
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE picture (name TEXT)")
    with pytest.raises(ManifestError, match="is damaged"):
        adopt(recipe, workspace)


def test_notes_in_use_are_told_with_who_has_them(
    some_smileys: tuple[Recipe, Workspace, Path],
) -> None:
    _, _, file = some_smileys
    hold = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('BEGIN EXCLUSIVE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", hold, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ManifestError) as caught, Manifest(file.parent) as manifest:  # noqa: PT012
            manifest._db.execute("PRAGMA busy_timeout = 100")
            manifest._db.execute("BEGIN IMMEDIATE")
    finally:
        other.communicate()
    assert f"{file} is in use by another program (python" in str(caught.value)
    assert f"process {other.pid})" in str(caught.value)


def test_a_folder_in_the_manifests_place_is_named(
    some_smileys: tuple[Recipe, Workspace, Path],
) -> None:
    recipe, workspace, file = some_smileys
    file.unlink()
    file.mkdir()
    with pytest.raises(ManifestError, match=r"manifest\.db is a folder, and a file belongs there"):
        adopt(recipe, workspace)
