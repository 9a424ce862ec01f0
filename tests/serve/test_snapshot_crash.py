"""When the process that kernels are forked from ends, another takes its place."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.serve.served import ECHO, lives, served, write_notebook
from tests.serve.test_snapshot_visitors_apart import says
from tests.serve.visitor import Visitor


async def a_visit(address: str) -> int:
    async with Visitor(address) as visitor:
        return int((await says(visitor, "hello"))[3])


def test_a_crashed_snapshot_starts_again(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "echo.ipynb", ECHO)
    with served(notebook, TEST_QUERIES="") as server:
        assert asyncio.run(a_visit(server.address)) in server.forks()
        before, forks = server.zygotes(), server.forks()
        os.kill(before[0], signal.SIGKILL)
        server.wait_until(lambda: set(server.zygotes()) - set(before) != set(), "No other started")
        server.wait_until(lambda: not any(map(lives, forks)), "Its kernels outlived it")
        assert asyncio.run(a_visit(server.address)) in server.forks()
        assert "The snapshot's process ended; another starts." in server.said


def test_a_spare_that_is_killed_is_not_given_to_a_visitor(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "echo.ipynb", ECHO)
    with served(notebook, TEST_QUERIES="") as server:
        server.wait_until(lambda: len(server.forks()) == 1, "No spare")
        (spare,) = server.forks()
        os.kill(spare, signal.SIGKILL)
        assert asyncio.run(a_visit(server.address)) != spare
