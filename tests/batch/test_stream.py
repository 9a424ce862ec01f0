"""`--csv` to what is no regular file: the rows go out as they come, and nothing is replaced."""

from __future__ import annotations

import csv
import io
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from kezako.batch.run import predict
from kezako.workspace import Workspace
from tests.needs import only_where
from tests.servers import ROOT

Draw = Callable[[Path, int], dict[str, str]]

pytestmark = only_where(os.name != "nt", "pipes and devices of POSIX")


def labels(text: str) -> list[tuple[str, str]]:
    return [(row["path"], row["label"]) for row in csv.DictReader(io.StringIO(text))]


def to_stdout(home: Path, pictures: Path, redirected: str) -> subprocess.CompletedProcess[str]:
    """`kezako predict colours PICTURES --csv /dev/stdout`, with the rest of a shell's line."""
    kezako = f"'{sys.executable}' -m kezako predict colours '{pictures}' --csv /dev/stdout"
    return subprocess.run(
        ["sh", "-c", f"{kezako} {redirected}"], cwd=home, capture_output=True, text=True,
        check=False, env={**os.environ, "KEZAKO_HOME": str(home), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_a_pipe_gets_every_row(
    a_workspace_of_colours: Workspace, a_folder_of_pictures: Draw, tmp_path: Path
) -> None:
    drawn = a_folder_of_pictures(tmp_path / "pictures", 100)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    predict(a_workspace_of_colours, "colours", [str(tmp_path / "pictures")], pipe)
    reader.join()
    assert labels(read[0]) == list(drawn.items())
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert {path.name for path in tmp_path.iterdir()} == {"pictures", "pipe"}


def test_a_device_stays_one(
    a_workspace_of_colours: Workspace, a_folder_of_pictures: Draw, tmp_path: Path
) -> None:
    a_folder_of_pictures(tmp_path / "pictures", 3)
    ours, theirs = os.openpty()  # a device that may be lost: /dev/null is needed by others
    device = Path(os.ttyname(theirs))
    (tmp_path / "link").symlink_to(device)
    for name in (device, tmp_path / "link"):
        predict(a_workspace_of_colours, "colours", [str(tmp_path / "pictures")], name)
        assert stat.S_ISCHR(device.stat().st_mode)
        assert b"path,label," in os.read(ours, 10_000)
    assert (tmp_path / "link").is_symlink()
    os.close(ours)
    os.close(theirs)


def test_standard_output_has_the_table_alone(
    a_workspace_of_colours: Workspace, a_folder_of_pictures: Draw, tmp_path: Path
) -> None:
    drawn = a_folder_of_pictures(tmp_path / "pictures", 10)
    done = to_stdout(a_workspace_of_colours.root, tmp_path / "pictures", "")
    assert done.returncode == 0, done.stderr
    assert labels(done.stdout) == list(drawn.items())
    assert "Table: /dev/stdout" in done.stderr


def test_what_a_shell_appends_to_is_appended_to(
    a_workspace_of_colours: Workspace, a_folder_of_pictures: Draw, tmp_path: Path
) -> None:
    drawn = a_folder_of_pictures(tmp_path / "pictures", 10)
    file = tmp_path / "notes.txt"
    file.write_text("mine\n")
    done = to_stdout(a_workspace_of_colours.root, tmp_path / "pictures", f">> '{file}'")
    assert done.returncode == 0, done.stderr
    before, _, table = file.read_text().partition("\n")
    assert before == "mine"
    assert labels(table) == list(drawn.items())


def test_a_reader_that_ends_is_a_sentence(
    a_workspace_of_colours: Workspace, a_folder_of_pictures: Draw, tmp_path: Path
) -> None:
    a_folder_of_pictures(tmp_path / "pictures", 300)
    done = to_stdout(a_workspace_of_colours.root, tmp_path / "pictures", "| head -n 1")
    assert done.stdout.startswith("path,label,")
    assert "kezako: What read /dev/stdout has ended" in done.stderr
    assert "Traceback" not in done.stderr
