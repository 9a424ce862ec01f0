"""Whatever becomes of the server, no process of it stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.edited import edited
from tests.serve.served import ECHO, lives, served, write_notebook
from tests.serve.visitor import Visitor
from tests.servers import DEADLINE, until

BUSY = "\nbutton.on_click(lambda _: exec('while True: pass'))\n"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_server(tmp_path: Path, how: signal.Signals) -> None:
    async def visit_and_end_it() -> None:
        async with Visitor(server.address) as idle, Visitor(server.address) as busy:
            await busy.presses("Say")
            assert idle.kernel != busy.kernel
            server.wait_until(lambda: len(server.forks()) == 3, "Two visitors and a spare")
            processes.extend([*server.zygotes(), *server.forks()])
            server.process.send_signal(how)
            await asyncio.to_thread(server.process.wait)

    processes: list[int] = []
    notebook = write_notebook(tmp_path / "echo.ipynb", edited(ECHO, "\nVBox", f"{BUSY}VBox"))
    with served(notebook, TEST_QUERIES="") as server:
        asyncio.run(visit_and_end_it())
    assert len(processes) == 4
    until(lambda: not any(map(lives, processes)), "Something lives on.")


def test_a_notebook_that_still_starts_does_not_outlive_the_server(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "echo.ipynb", ECHO)
    with served(notebook, TEST_QUERIES="") as server:
        server.wait_until(lambda: any(map(is_begun, server.zygotes())), "No process for it")
        (zygote,) = server.zygotes()
        os.kill(zygote, signal.SIGSTOP)  # as slow as a machine can be
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(timeout=DEADLINE)
        until(lambda: not lives(zygote), "It lives on.")


def is_begun(zygote: int) -> bool:
    """Stopped before it has a program of its own, it would hold up the server that forks it."""
    return b"zygote" in Path(f"/proc/{zygote}/cmdline").read_bytes()
