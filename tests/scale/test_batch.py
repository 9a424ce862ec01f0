"""`kezako scale batch` on a real Ray: nothing is lost or doubled, whatever ends in the middle."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.needs import needs_package

pa = needs_package("pyarrow")
pq = needs_package("pyarrow.parquet")
needs_package("ray")

from kezako.batch.run import predict
from kezako.scale.batch import classify
from kezako.workspace import Workspace
from tests.batch.conftest import COLOURS, rows_of
from tests.servers import DEADLINE

pytestmark = pytest.mark.hosts

Draw = Callable[[Path, int], dict[str, str]]
WORKER = "ray::MapWorker"
PART = 20  # pictures


@pytest.fixture
def a_killer(tmp_path: Path) -> Callable[[], list[int]]:
    """Ends one of two workers as soon as there is an answer; says which it has ended."""
    ended: list[int] = []

    def kill() -> None:
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and not ended:
            if any((tmp_path / "out").glob("*.parquet")) and len(workers := _workers()) == 2:
                workers[0].send_signal(signal.SIGKILL)
                ended.append(workers[0].pid)
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()

    def told() -> list[int]:
        thread.join()
        return ended

    return told


@pytest.mark.slow
def test_one_of_two_workers_is_killed_and_a_run_is_continued(
    a_ray: None,
    a_workspace_of_colours: Workspace,
    a_folder_of_pictures: Draw,
    a_killer: Callable[[], list[int]],
    tmp_path: Path,
) -> None:
    drawn = a_folder_of_pictures(tmp_path / "pictures", 600)
    (tmp_path / "pictures" / "notes.txt").write_text("no picture")
    bundle, out = a_workspace_of_colours.bundle("colours"), tmp_path / "out"

    def run() -> object:
        return classify(bundle, str(tmp_path / "pictures"), str(out), workers=2, part=PART)

    assert str(run()) == "601 pictures, 1 of them with a problem."
    assert a_killer(), "no worker was killed: the run was over too soon"
    _are_whole(out, drawn)
    tables = sorted(out.glob("*.parquet"))
    for lost in tables[:3]:  # as if the run had been killed before these
        lost.unlink()
    kept = {table: table.stat().st_mtime_ns for table in tables[3:]}
    assert "by an earlier run" in str(run())
    assert {table: table.stat().st_mtime_ns for table in tables[3:]} == kept
    _are_whole(out, drawn)


def test_its_rows_are_those_of_predict(
    a_ray: None,
    a_workspace_of_colours: Workspace,
    a_folder_of_pictures: Draw,
    tmp_path: Path,
) -> None:
    drawn = a_folder_of_pictures(tmp_path / "pictures", 6)
    bundle = a_workspace_of_colours.bundle("colours")
    classify(bundle, str(tmp_path / "pictures"), f"file://{tmp_path}/out", workers=1)
    predict(a_workspace_of_colours, "colours", [str(tmp_path / "pictures")], tmp_path / "own.csv")
    rows = _rows(tmp_path / "out")
    for row, own in zip(rows, rows_of(tmp_path / "own.csv"), strict=True):
        assert row["path"] == own["path"]
        assert row["label"] == own["label"] == drawn[own["path"]]
        for label in COLOURS:
            assert row[f"p_{label}"] == pytest.approx(float(own[f"p_{label}"]), abs=1e-5)


def test_answers_of_another_training_are_not_mixed_in(
    a_workspace_of_colours: Workspace,
    a_folder_of_pictures: Draw,
    a_bundle: Callable[..., Path],
    tmp_path: Path,
) -> None:
    a_folder_of_pictures(tmp_path / "pictures", 2)
    (tmp_path / "out").mkdir()
    row = {"path": ["a.png"], "model": ["the SHA-256 of another"]}
    pq.write_table(pa.table(row), tmp_path / "out" / "part-1.parquet")
    with pytest.raises(ValueError, match="another training"):
        classify(
            a_workspace_of_colours.bundle("colours"),
            str(tmp_path / "pictures"), str(tmp_path / "out"),
        )  # fmt: skip


@pytest.mark.parametrize("source", ["missing", "nowhere://bucket/x", "empty"])
def test_what_cannot_be_done_is_said_in_a_sentence(
    a_workspace_of_colours: Workspace, tmp_path: Path, source: str
) -> None:
    (tmp_path / "empty").mkdir()
    where = source if "://" in source else str(tmp_path / source)
    with pytest.raises(ValueError, match=source.split(":")[0]):
        classify(a_workspace_of_colours.bundle("colours"), where, str(tmp_path / "out"))


def _workers() -> list[psutil.Process]:
    """The processes of Ray Data's actors."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if WORKER in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def _rows(out: Path) -> list[dict[str, object]]:
    rows = [row for table in out.glob("*.parquet") for row in pq.read_table(table).to_pylist()]
    return sorted(rows, key=lambda row: str(row["path"]))


def _are_whole(out: Path, drawn: dict[str, str]) -> None:
    """Every picture has one row with its label, and what is none has its sentence."""
    rows = _rows(out)
    assert len(rows) == len(drawn) + 1
    assert {row["path"]: row["label"] for row in rows if not row["problem"]} == drawn
