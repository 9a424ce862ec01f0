"""Killed at random moments and said again, a gathering ends as if it had not been disturbed."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from kezako.cli import main
from kezako.workspace import Workspace
from tests.gather.saved import files_below, rows_of, write_recipe
from tests.needs import only_where
from tests.standin import Standin

KILLS = 20
CLASSES = ("round", "square", "pointed", "crooked")
WANTED = 60  # pictures of each class; more in all than are stored between the kills
BETWEEN = 5  # pictures stored between two kills, at most, and what comes while one looks


@pytest.mark.slow
@pytest.mark.hosts
@only_where(os.name == "posix", "signals")
def test_twenty_kills_change_nothing(tmp_path: Path, drawn_standin: Standin) -> None:
    _make_some_of_it_go_wrong(drawn_standin)
    calm, disturbed = Workspace(tmp_path / "calm"), Workspace(tmp_path / "disturbed")
    for workspace in (calm, disturbed):
        write_recipe(workspace, "shapes", WANTED, *CLASSES)
    _gather_to_the_end(calm, drawn_standin)
    chance = random.Random(20)
    killed, stored = [], [0]
    for _ in range(KILLS):
        process = _gather(disturbed, drawn_standin)
        goal = stored[-1] + chance.randint(1, BETWEEN)
        _until(lambda: _stored(disturbed) >= goal, process)  # noqa: B023
        time.sleep(chance.uniform(0, 0.02))  # a picture takes about as long
        assert process.is_alive(), "it was killed while it ran"
        process.kill()
        process.join(30)
        assert process.exitcode == -signal.SIGKILL
        assert process.pid is not None
        killed.append(process.pid)
        stored.append(_stored(disturbed))
        for jpeg in disturbed.pictures("shapes").rglob("*.jpg"):
            assert jpeg.read_bytes().endswith(b"\xff\xd9"), "no half file"
    assert all(before < after for before, after in pairwise(stored)), "each kept what it had"
    assert stored[-1] < WANTED * len(CLASSES), "and the last one was not done"
    _gather_to_the_end(disturbed, drawn_standin)
    assert _content(disturbed) == _content(calm)
    _until(lambda: not any(map(_group_lives, killed)))  # nothing it started is left behind
    assert len(files_below(calm.pictures("shapes"))) == WANTED * len(CLASSES)


def _stored(workspace: Workspace) -> int:
    """How many pictures there are, of one that may be gathering."""
    return sum(1 for _ in workspace.pictures("shapes").rglob("*.jpg"))


def _make_some_of_it_go_wrong(standin: Standin) -> None:
    kinds = ["status-404", "truncated", "noai", "tiny", "html", "once-500"]
    for folder in CLASSES:
        urls = standin.urls(f"{folder} shape", 100)
        for place, kind in enumerate(kinds):
            urls.insert(7 * place, standin.trouble(kind, folder))
        urls.insert(20, urls[21] + "?again")
        standin.offer(f"{folder} shape", urls)


def _gather(workspace: Workspace, standin: Standin) -> BaseProcess:
    """`kezako gather`, in a process of a group of its own.

    Forked from one that has imported what it needs: twenty starts would be most of this test.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kezako.gather.web", "kezako.gather.sources.openverse"])
    environment = {**standin.environment(), "KEZAKO_HOME": str(workspace.root)}
    process = context.Process(target=_command, args=(environment,))
    process.start()
    return process


def _command(environment: dict[str, str]) -> None:
    os.setsid()
    os.environ.update(environment)
    with open(os.devnull, "w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        sys.exit(main(["gather", "shapes", "--source", "openverse"]))


def _gather_to_the_end(workspace: Workspace, standin: Standin) -> None:
    process = _gather(workspace, standin)
    process.join(180)
    assert process.exitcode == 0


def _until(holds: Callable[[], bool], process: BaseProcess | None = None) -> None:
    """Wait for what holds soon, a minute at most, or for the end of `process`."""
    for _ in range(6000):
        if holds() or (process and not process.is_alive()):
            return
        time.sleep(0.01)
    raise AssertionError("waited for a minute in vain")


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _content(workspace: Workspace) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    rows = [asdict(row) for row in rows_of(workspace, "shapes")]
    for row in rows:
        del row["fetched_at"]
    root = workspace.pictures("shapes")
    return rows, {name: (root / name).read_bytes() for name in files_below(root)}
