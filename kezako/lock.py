"""Locks: a process that changes a workspace item holds the item's lock.

An item is a data folder (`data/NAME`), a bundle (`models/NAME`) or an output table. Readers take
no lock and change nothing. Neither does an operation that is atomic for all others: a commit in
the manifest, or renaming a file into place.

The system releases a lock when its process dies, however it dies. So whoever gets an item's lock
may clean up anything half done in it, because it belongs to nobody.

To avoid deadlocks, two locks are always taken in the same order: a bundle, then a data folder,
then no more.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from kezako.errors import KezakoError, sentence

PATIENCE = 5.0  # seconds that a second process waits
SOON = 0.3  # seconds after which it says that it waits
# Environment variable of the holder's subprocesses: its process id and its command.
LENT = "_KEZAKO_LENT_BY"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, from the note next to it."""

    command: str  # such as "kezako train wolves"
    pid: int
    host: str
    since: str  # ISO 8601, UTC

    def __str__(self) -> str:
        elsewhere = "" if self.host == _host() else f" on {self.host}"
        return f"{self.command} (process {self.pid}{elsewhere}) since {self._when()}"

    def _when(self) -> str:
        since = datetime.fromisoformat(self.since).astimezone()
        today = since.date() == datetime.now(since.tzinfo).date()
        return f"{since:%H:%M}" if today else f"{since:%H:%M} on {since.day} {since:%B}"


@contextmanager
def locked(
    item: Path,
    # True: the lock file is in the folder (data folders); False: next to it (bundles).
    inside: bool = False,
    patience: float | None = None,  # seconds; None: PATIENCE
) -> Iterator[None]:
    """Hold the lock of `item` inside the block.

    It is reentrant within a process. Raises `KezakoError` if another process still holds it after
    `patience` seconds, or if the lock cannot be written.
    """
    lock = _Lock.of(item, inside)
    lock.acquire(PATIENCE if patience is None else patience)
    try:
        yield
    finally:
        lock.release()


def lent() -> dict[str, str]:
    """Environment variables for a subprocess that may change what this process has locked."""
    return {LENT: f"{os.getpid()} {_command()}"}


class _Lock:
    """The lock of one item in this process, which may take it several times."""

    held: ClassVar[dict[Path, _Lock]] = {}  # locks that this process holds or borrows
    changing = threading.RLock()  # guards `held`

    def __init__(self, item: Path, file: Path):
        from filelock import FileLock  # lazy: a page only reads and needs no locks

        self._item, self._file, self._note = item, file, file.with_suffix(".holder")
        self._lock = FileLock(file, thread_local=False)
        self._times = 0

    @classmethod
    def of(cls, item: Path, inside: bool) -> _Lock:
        item = Path(os.path.abspath(item))
        file = item / ".lock" if inside else item.with_name(f".{item.name}.lock")
        with cls.changing:
            return cls.held.get(file) or cls(item, file)

    def acquire(self, patience: float) -> None:
        if not self._times:
            self._check_order()
            self._take(patience)
        with self.changing:
            self._times += 1
            self.held[self._file] = self

    def release(self) -> None:
        with self.changing:
            self._times -= 1
            if self._times:
                return
            del self.held[self._file]
        if self._lock.is_locked:
            self._unlink(self._note)
            if os.name == "posix":  # a process that waits on a deleted file opens the new one
                self._unlink(self._file)
            self._lock.release()

    def _take(self, patience: float) -> None:
        from filelock import Timeout

        if self._is_lent():
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with suppress(Timeout):
                self._lock.acquire(timeout=min(SOON, patience))
            if not self._lock.is_locked:
                self._wait(patience)
        except Timeout:
            raise KezakoError(
                f"{self._in_use()}. Wait for its end, or stop it; then run this again."
            ) from None
        except OSError as error:
            told = sentence(OSError(error.errno, error.strerror, str(self._item)))
            raise KezakoError(told or f"{self._item} cannot be written ({error}).") from error
        self._write_note()

    def _wait(self, patience: float) -> None:
        if patience > SOON:
            print(f"kezako: {self._in_use()}. Waiting a moment …", file=sys.stderr, flush=True)
        self._lock.acquire(timeout=max(0.0, patience - SOON))

    def _check_order(self) -> None:
        if any(path.name == ".lock" for path in self.held):
            raise RuntimeError(f"{self._item} is asked for while a data folder is held.")

    def _is_lent(self) -> bool:
        """Whether the lock is held by the process that this one works for (see `lent`)."""
        lender = os.environ.get(LENT, "").partition(" ")[0]
        holder = self._holder(tries=1) if lender else None
        return holder is not None and holder.host == _host() and str(holder.pid) == lender

    def _in_use(self) -> str:
        return f"{_shown(self._item)} is in use by {self._holder() or 'another process'}"

    def _holder(self, tries: int = 5) -> Holder | None:
        """The holder in the note; None if there is none, as just before it is written."""
        for _ in range(tries):
            with suppress(OSError, ValueError, TypeError):
                return Holder(**json.loads(self._note.read_text(encoding="utf-8")))
            time.sleep(0.05)
        return None

    def _write_note(self) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        holder = Holder(_command(), os.getpid(), _host(), now)
        with suppress(OSError):  # the disk is full: the lock works without its note
            self._note.write_text(json.dumps(asdict(holder)), encoding="utf-8")

    @staticmethod
    def _unlink(path: Path) -> None:
        with suppress(OSError):
            path.unlink()


if hasattr(os, "register_at_fork"):  # a forked process holds no locks
    os.register_at_fork(after_in_child=_Lock.held.clear)


def _command() -> str:
    """The command of this process in short, for processes that wait for it."""
    if lent := os.environ.get(LENT):
        return lent.partition(" ")[2]
    program, *words = sys.argv or [""]
    name = Path(program).stem
    if name == "ipykernel_launcher":
        return "a notebook"
    if name == "__main__":  # python -m kezako
        name = Path(program).parent.name
    line = " ".join([name, *words[:2]])  # more words could contain a URL with a key
    return "".join(sign if sign.isprintable() else " " for sign in line)


def _host() -> str:
    return socket.gethostname()


def _shown(item: Path) -> str:
    """Relative to the working directory, if it is below it."""
    here = os.path.relpath(item) if item.anchor == Path.cwd().anchor else ".."
    return str(item) if here.startswith("..") else here
