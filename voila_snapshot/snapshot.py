"""A snapshot: a notebook that has run once, in a process that kernels are forked from."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from voila_snapshot import ipc
from voila_snapshot.fork import LAST_WORDS, Copy, Fork
from voila_snapshot.logs import Hearing, Scribe

# A process must have no other threads when it forks: the fork would lack them, and libraries hang.
SINGLE_THREADED = {
    "KEZAKO_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    # For glibc: one heap takes less memory than one per thread; large blocks are returned when
    # freed.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "262144",
}
TIMEOUT = 120  # seconds that a notebook may take to run
_FORK_TIMEOUT = 20  # seconds; enough for a very busy machine
_AT_ONCE = 4  # concurrent forks; more would only fill the socket of requests
# Drop the working directory from the path, as it could shadow a library, and debugpy, as it takes
# 10 MB and visitors may not debug.
START = """import sys
del sys.path[0]
sys.modules["debugpy"] = None
from voila_snapshot.zygote import main
main()"""
_PACKAGE = str(Path(__file__).parents[1])


class SnapshotError(Exception):
    """Forking is not possible; the message completes a sentence that starts with "because"."""


class Snapshot:
    """A notebook that has run, and the process that forks kernels from it.

    `notebook` has the outputs, `state` has the widgets by model id, and `read` has the names of the
    environment variables that the notebook read.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        python: str,
        folder: Path,
        environment: Mapping[str, str],
        scribe: Callable[[str], Scribe],  # makes a scribe for the process of that name
        niceness: int = 0,
        spares: int = 0,  # kernels to fork ahead of their visitors
    ):
        self.notebook = deepcopy(notebook)
        self.python = python
        self.folder = folder
        self.environment = {**environment, **SINGLE_THREADED}
        self.state: dict[str, Any] = {}
        self.read: frozenset[str] = frozenset()
        self.pages: dict[Any, Any] = {}  # cached pages, see `pages.drawn`
        self._scribe = scribe
        self._niceness = niceness
        self._wanted = spares
        self._spares: deque[asyncio.Task[Fork]] = deque()
        self._visited: list[Fork] = []  # kernels of visitors; those that ended are dropped
        self._last_used = time.monotonic()
        self._process: subprocess.Popen[bytes] | Copy | None = None
        self._requests: socket.socket | None = None
        self._forking = asyncio.Semaphore(_AT_ONCE)

    async def start(self) -> None:
        """Run the notebook. Raises `SnapshotError` if it cannot be run and forked."""
        ours, theirs = socket.socketpair()
        self._requests = ours
        heard, said = socket.socketpair()
        path = os.pathsep.join(filter(None, (_PACKAGE, self.environment.get("PYTHONPATH"))))
        with theirs, said:
            try:
                self._process = subprocess.Popen(
                    [self.python, "-c", START, str(theirs.fileno()), str(os.getpid())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=said.fileno(),
                    stderr=said.fileno(),
                    cwd=self.folder,
                    env={**self.environment, "PYTHONPATH": path},
                    start_new_session=True,  # Ctrl+C is for the server
                )
            except OSError as error:
                heard.close()
                self.kill()
                raise SnapshotError(f"{self.python} cannot be started: {error}") from error
        # Also for forks that have no visitor yet.
        scribe = self._scribe(f"Snapshot {self._process.pid}")
        loop = asyncio.get_running_loop()
        _, hearing = await loop.create_connection(lambda: Hearing(scribe), sock=heard)
        try:
            await self._run({"niceness": self._niceness})
        except (EOFError, OSError):
            self.kill()
            # So that the reason is logged before the error.
            await asyncio.wait([hearing.over], timeout=LAST_WORDS)
            raise SnapshotError("the process that runs the notebook ended") from None

    async def start_from(self, other: Snapshot) -> None:
        """Run the notebook in a fork of the process of `other`, which has run it already.

        This takes less time and memory than `start`: only what the notebook itself makes is not
        shared. Modules stay as the first run left them. Raises `SnapshotError`.
        """
        if other._requests is None or not other.is_alive:
            raise SnapshotError("the process that ran the notebook has ended")
        self._requests, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(other._requests, [ipc.AGAIN], [theirs.fileno()])
            await self._run(changes(other.environment, self.environment))
        except (EOFError, OSError) as error:
            self.kill()
            raise SnapshotError("the process that ran the notebook again ended") from error

    async def _run(self, order: ipc.Message) -> None:
        """Let the process run the cells. Raises `SnapshotError`, `EOFError` and `OSError`."""
        assert self._requests
        reader, writer = await _open(self._requests.dup())
        try:
            if self._process is None:
                self._process = Copy((await ipc.read(reader))["pid"])
            writer.write(ipc.encode({**order, "cells": _cells(self.notebook)}))
            report = await asyncio.wait_for(ipc.read(reader), TIMEOUT)
        except TimeoutError:
            self.kill()
            raise SnapshotError(f"the notebook ran for more than {TIMEOUT} seconds") from None
        finally:
            writer.close()
        if trouble := report.get("trouble"):
            self.kill()
            raise SnapshotError(trouble)
        self.state, self.read = report["state"], frozenset(report["read"])
        for cell, outputs in zip(_running(self.notebook), report["outputs"], strict=True):
            cell.outputs = [NotebookNode(output) for output in outputs]
        self._fork_ahead()

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pids(self) -> list[int]:
        """Ids of the process and of the spare kernels."""
        spares = [task.result().pid for task in self._spares if _has_result(task)]
        return [self._process.pid, *spares] if self._process and self.is_alive else []

    async def fork(self) -> Fork:
        """A kernel that waits for its visitor (`welcome`). Raises `SnapshotError`."""
        fork = None
        while self._spares and fork is None:
            with contextlib.suppress(SnapshotError):
                ahead = await self._spares.popleft()
                fork = ahead if ahead.poll() is None else None
        fork = fork or await self._fork()
        self._visited.append(fork)
        self.unused()  # notes the time, and forgets kernels that have ended
        # Wait a moment: the visitor's own page comes first.
        asyncio.get_running_loop().call_later(0.2, self._fork_ahead)
        return fork

    def unused(self) -> float:
        """Seconds since a visitor's kernel was last seen; 0 while there is one."""
        now = time.monotonic()
        self._visited = [fork for fork in self._visited if fork.poll() is None]
        if self._visited:
            self._last_used = now
        return now - self._last_used

    def retire(self) -> None:
        """Stop forking; the process ends when the last of its kernels has ended."""
        self._wanted = 0
        while self._spares:
            self._spares.popleft().add_done_callback(_end)
        if self._requests is not None:
            self._requests.close()
            self._requests = None

    def kill(self) -> None:
        """Kill the process and every kernel forked from it."""
        self.retire()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()

    def _fork_ahead(self) -> None:
        while self.is_alive and self._requests and len(self._spares) < self._wanted:
            task = asyncio.ensure_future(self._fork())
            # Reads the exception: the next visitor's fork will report it.
            task.add_done_callback(_has_result)
            self._spares.append(task)

    async def _fork(self) -> Fork:
        async with self._forking:
            return await self._fork_now()

    async def _fork_now(self) -> Fork:
        if self._requests is None or not self.is_alive:
            raise SnapshotError("the process that ran the notebook has ended")
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._requests, [ipc.KERNEL], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise SnapshotError("the process that ran the notebook has ended") from error
        reader, writer = await _open(ours)
        try:
            report = await asyncio.wait_for(ipc.read(reader), _FORK_TIMEOUT)
        except (TimeoutError, EOFError) as error:
            writer.close()
            raise SnapshotError("a fork failed; the log above says why") from error
        hearing = Hearing(self._scribe(f"Kernel {report['pid']}"))
        writer.transport.set_protocol(hearing)
        reader.feed_eof()
        hearing.data_received(await reader.read())  # data that came right after the report
        return Fork(report["pid"], report["ports"], writer, hearing)


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Any]:
    """What turns the environment of a process into another: variables to `set` and to `unset`."""
    kept = {name: value for name, value in after.items() if name not in SINGLE_THREADED}
    return {
        "set": {name: value for name, value in kept.items() if before.get(name) != value},
        "unset": [name for name in before if name not in after and name not in SINGLE_THREADED],
    }


def _running(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells that a snapshot runs: not empty, not tagged "skip-execution"."""
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        and cell.source.strip()
        and "skip-execution" not in cell.metadata.get("tags", [])
    ]


def _cells(notebook: NotebookNode) -> Sequence[ipc.Message]:
    return [
        {
            "source": cell.source,
            "may_fail": "raises-exception" in cell.metadata.get("tags", []),
        }
        for cell in _running(notebook)
    ]


async def _open(end: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(sock=end)


def _has_result(task: asyncio.Task[Fork]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _end(task: asyncio.Task[Fork]) -> None:
    if _has_result(task):
        task.result().kill()
        task.result().wait()
