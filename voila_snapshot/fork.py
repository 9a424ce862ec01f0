"""Processes forked from a zygote: kernels, and zygotes that run the notebook again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
from collections.abc import Mapping
from pathlib import Path

from voila_snapshot import ipc
from voila_snapshot.logs import Hearing

LAST_WORDS = 1.0  # seconds to wait for the last output of a kernel that has ended


class Fork:
    """A forked kernel, with the methods of `subprocess.Popen` that a provisioner needs.

    Its stdout and stderr come over its lifeline socket and go to a scribe.
    """

    stdin = stdout = stderr = None

    def __init__(
        self,
        pid: int,
        ports: Mapping[str, int],
        writer: asyncio.StreamWriter,
        hearing: Hearing,
    ):
        self.pid, self.ports = pid, dict(ports)
        self._writer, self._hearing = writer, hearing
        self._watch: int | None = None
        # Linux only; elsewhere the lifeline shows when it ends.
        with contextlib.suppress(AttributeError, OSError):
            self._watch = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it runs, then 0."""
        if self._watch is not None:
            return 0 if _is_readable(self._watch) else None
        return 0 if self._hearing.over.done() else None

    def wait(self) -> int:
        """Release the resources of a kernel that has ended."""
        asyncio.get_running_loop().call_later(LAST_WORDS, self._writer.close)
        if self._watch is not None:
            os.close(self._watch)
            self._watch = None
        return 0

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def welcome(self, visitor: ipc.Message) -> None:
        """Hand the kernel to its visitor; `visitor` has `key`, `set`, `unset` and `folder`."""
        self._writer.write(ipc.encode(visitor))


class Copy:
    """A zygote that another has forked, with the methods of `Popen` that are needed."""

    def __init__(self, pid: int):
        self.pid = pid
        self._watch: int | None = None
        with contextlib.suppress(AttributeError, OSError):  # Linux only
            self._watch = os.pidfd_open(pid)

    def __del__(self) -> None:
        if self._watch is not None:
            os.close(self._watch)

    def poll(self) -> int | None:
        """None while it runs, then 0."""
        if self._watch is not None:
            return 0 if _is_readable(self._watch) else None
        try:
            os.kill(self.pid, 0)
        except OSError:
            return 0
        return None

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Nothing: the zygote that forked it reads its exit status."""


def memory(pid: int, shared: bool = False) -> int | None:
    """Private memory of a process in bytes, or with its share of `shared`; None if unknown."""
    fields = ("Pss:",) if shared else ("Private_Clean:", "Private_Dirty:")
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return 1024 * sum(int(line.split()[1]) for line in lines if line.split()[0] in fields)


def _is_readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
