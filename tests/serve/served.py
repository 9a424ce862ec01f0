"""A server of snapshot kernels as a process, and what can be seen of it from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks.ports import unused_port
from tests.servers import DEADLINE, ROOT, until

PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}
# Says what a visitor typed, who they are, and what must not be shared.
ECHO = """\
import os, random
from ipywidgets import Button, Label, Text, VBox

name, said, button = Text(), Label(), Button(description="Say")

def say(_):
    told = name.value, os.environ.get("QUERY_STRING", ""), str(random.random()), str(os.getpid())
    said.value = "|".join(told)

button.on_click(say)
VBox([name, button, said])
"""


@dataclass
class Served:
    """A running server."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def zygotes(self) -> list[int]:
        return children(self.process.pid)

    def forks(self) -> list[int]:
        return [pid for zygote in self.zygotes() for pid in children(zygote)]

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        until(holds, f"{what}:\n{self.said[-3000:]}")


@contextlib.contextmanager
def served(
    notebook: Path,
    *options: str,
    module: str = "tests.serve.server",
    **settings: str,
) -> Iterator[Served]:
    """A server of `notebook`, ready when it is handed over."""
    port = unused_port()
    command = [
        sys.executable, "-m", module, str(notebook), "--no-browser", f"--port={port}",
        "--Voila.ip=127.0.0.1", "--Voila.port_retries=0", f"--Snapshots.patience={DEADLINE}",
        *options,
    ]  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "JUPYTER_CONFIG_DIR": str(notebook.parent / "jupyter"),
        **settings,
    }
    log = notebook.parent / f"{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=notebook.parent, env=environment, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    server = Served(f"http://127.0.0.1:{port}/", process, log)
    try:
        # Whoever listens at the port may be another; the server says when it does.
        listening = f"http://127.0.0.1:{port}/"
        server.wait_until(
            lambda: listening in server.said or process.poll() is not None, "No server"
        )
        assert process.poll() is None, server.said[-3000:]
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def write_notebook(path: Path, *cells: str, name: str = "python3") -> Path:
    """A notebook of code cells."""
    metadata = {"kernelspec": {**PYTHON, "name": name}}
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def children(pid: int) -> list[int]:
    """Process ids of the children of `pid`, zombies too."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def lives(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
