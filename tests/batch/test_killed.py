"""A run that is killed goes on when it is started again: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from kezako.batch.run import predict
from kezako.batch.workers import Workers
from kezako.workspace import Workspace
from tests.batch.conftest import rows_of
from tests.needs import only_where
from tests.servers import ROOT, until

Draw = Callable[[Path, int], dict[str, str]]

pytestmark = only_where(os.name == "posix", "signals")


def test_the_whole_run(
    a_workspace_of_colours: Workspace, a_folder_of_pictures: Draw, tmp_path: Path
) -> None:
    drawn = a_folder_of_pictures(tmp_path / "pictures", 1500)
    sheet = tmp_path / "answers.csv"
    run = subprocess.Popen(
        [sys.executable, "-m", "kezako", "predict", "colours", str(tmp_path / "pictures"),
         "--csv", str(sheet), "--workers", "2"],
        cwd=ROOT, env={**os.environ, "KEZAKO_HOME": str(a_workspace_of_colours.root)},
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip

    def parts() -> list[Path]:
        return list(tmp_path.glob("answers.csv.*.part"))

    until(lambda: any(part.stat().st_size > 10_000 for part in parts()))
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert not sheet.exists()
    (part,) = parts()
    with part.open("r+b") as file:
        file.truncate(part.stat().st_size - 7)  # as if the kill had struck within a row
    found = predict(a_workspace_of_colours, "colours", [str(tmp_path / "pictures")], sheet)
    assert 0 < found.earlier < len(drawn)
    assert [(row["path"], row["label"]) for row in rows_of(sheet)] == list(drawn.items())
    assert not parts()


def test_one_worker(
    a_workspace_of_colours: Workspace, a_folder_of_pictures: Draw, tmp_path: Path
) -> None:
    drawn = a_folder_of_pictures(tmp_path, 200)
    with Workers(a_workspace_of_colours.models, "colours", processes=2) as workers:
        answers = workers.answers(drawn)
        said = [next(answers)]
        running = [
            child
            for child in psutil.Process().children()
            if any("kezako.worker.process" in part for part in child.cmdline())
        ]
        assert running
        for child in running:
            child.send_signal(signal.SIGKILL)
        said += answers
    assert {path: outcome["label"] for path, outcome in said} == drawn
    assert [path for path, _ in said] == list(drawn)
