"""Measure a server with all its descendants: processes, memory, files; and limit its memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

MIB = 2**20
GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Held:
    """Resources of a server and all its descendants."""

    processes: int
    unique: int  # bytes of private memory: the sum of USS
    share: int  # bytes including a share of shared memory: the sum of PSS
    descriptors: int


def family(process: psutil.Process) -> list[psutil.Process]:
    """The process and its descendants; empty if it has ended."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def held(process: psutil.Process) -> Held:
    """The resources that they hold now."""
    processes, rows = family(process), []
    for one in processes:
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            rows.append((*_memory(one.pid), one.num_fds()))
    return Held(len(processes), *(sum(row[column] for row in rows) for column in range(3)))


def _memory(pid: int) -> tuple[int, int]:
    """USS and PSS in bytes."""
    sizes = {"Private": 0, "Pss": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, kilobytes, _ = line.split()
        if name == "Pss:" or name.startswith(("Private_Clean", "Private_Dirty")):
            sizes[name.rstrip(":").split("_")[0]] += 1024 * int(kilobytes)
    return sizes["Private"], sizes["Pss"]


def settle(process: psutil.Process, seconds: float = 60) -> None:
    """Wait until they have been idle for a second, at most `seconds`."""
    end = time.monotonic() + seconds
    calm, before = 0, _computed(process)
    while calm < 4 and time.monotonic() < end:
        time.sleep(0.25)
        now = _computed(process)
        calm = calm + 1 if now - before < 0.02 else 0
        before = now


def _computed(process: psutil.Process) -> float:
    """CPU seconds that they have used."""
    total = 0.0
    for one in family(process):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


class NoLimit(Exception):
    """Memory cannot be limited here; the message says why."""


@dataclass(frozen=True)
class Group:
    """A control group with a memory limit."""

    folder: Path

    @property
    def prefix(self) -> list[str]:
        """A prefix that makes a command, and all that it starts, run in the group."""
        return ["sh", "-c", f'echo $$ > {self.folder / "cgroup.procs"} && exec "$@"', "sh"]

    @property
    def used(self) -> int:
        """Bytes charged to the group, including files in the page cache."""
        names = ("memory.current", "memory.usage_in_bytes")
        return next(int(text) for name in names if (text := _read(self.folder / name)))

    @property
    def cache(self) -> int:
        """Bytes of files in the page cache, which are part of `used`."""
        rows = dict(line.split() for line in _read(self.folder / "memory.stat").splitlines())
        return int(rows.get("file", rows.get("total_cache", 0)))

    @property
    def killed(self) -> int:
        """Number of processes that the limit has killed."""
        text = _read(self.folder / "memory.events") + _read(self.folder / "memory.oom_control")
        rows = dict(line.split() for line in text.splitlines())
        return int(rows.get("oom_kill", 0))


@contextmanager
def limited(limit: int) -> Iterator[Group]:
    """A group limited to `limit` bytes, with cgroup version 1 or 2. Raises `NoLimit`."""
    second = "memory" in _read(GROUPS / "cgroup.controllers").split()
    folder = (GROUPS if second else GROUPS / "memory") / f"kezako-{os.getpid()}-{time.time_ns()}"
    try:
        if second and "memory" not in _read(GROUPS / "cgroup.subtree_control").split():
            (GROUPS / "cgroup.subtree_control").write_text("+memory")
        folder.mkdir()
        (folder / ("memory.max" if second else "memory.limit_in_bytes")).write_text(str(limit))
    except OSError as error:
        with suppress(OSError):
            folder.rmdir()
        raise NoLimit(f"Memory cannot be limited here ({error}); run this as root.") from error
    # Otherwise a machine with swap would allow more than the limit.
    swap = folder / ("memory.swap.max" if second else "memory.memsw.limit_in_bytes")
    if swap.exists():
        swap.write_text("0" if second else str(limit))
    try:
        yield Group(folder)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    for _ in range(50):
        try:
            folder.rmdir()
            return
        except OSError:  # the last process is still ending
            time.sleep(0.1)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def forget(folders: list[Path]) -> None:
    """Drop files in these folders from the page cache, so that they are charged to the next reader.

    Files that another process has mapped stay.
    """
    for folder in folders:
        for path in folder.rglob("*"):
            with suppress(OSError):
                if path.is_file():
                    descriptor = os.open(path, os.O_RDONLY)
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                    os.close(descriptor)
