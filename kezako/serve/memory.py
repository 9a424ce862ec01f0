"""Memory: total and free on this machine or container, and a process's private memory."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

GROUPS = Path("/sys/fs/cgroup")


def total(groups: Path = GROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Bytes that this process and its children may use together."""
    return min([psutil.virtual_memory().total, *(limit for limit, _ in _groups(groups, own))])


def left(groups: Path = GROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Free memory in bytes, including what the system can reclaim (page cache)."""
    rooms = [limit - used for limit, used in _groups(groups, own)]
    return max(0, min([psutil.virtual_memory().available, *rooms]))


def alone(pid: int) -> int:
    """Private memory (USS) of a process in bytes; 0 if it has ended."""
    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except psutil.Error:
        return 0


def give_back() -> None:
    """Return freed memory to the system (`malloc_trim`); takes about ten milliseconds."""
    with suppress(AttributeError, OSError, TypeError):  # only glibc needs it
        ctypes.CDLL(None).malloc_trim(0)


def _groups(groups: Path, own: Path) -> Iterator[tuple[int, int]]:
    """Limit and use, in bytes, of every cgroup of this process that has a memory limit."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _walk(groups, path, "memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            yield from _walk(
                groups / "memory", path, "memory.limit_in_bytes", "memory.usage_in_bytes"
            )


def _walk(root: Path, path: str, limit: str, used: str) -> Iterator[tuple[int, int]]:
    # In a container, the path may be the host's, whose folders are missing here; the root exists.
    folder = root / path.lstrip("/")
    for group in (folder, *folder.parents):
        most = _number(group / limit)
        if most is not None and most < 1 << 60:  # v1 writes "no limit" as a huge number
            yield most, max(0, (_number(group / used) or 0) - _cache(group))
        if group == root:
            return


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _cache(group: Path) -> int:
    """Bytes of inactive page cache, which the system reclaims when memory is short."""
    try:
        rows = dict(row.split() for row in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return 0
    return int(rows.get("total_inactive_file", rows.get("inactive_file", 0)))


def descriptors() -> int:
    """File descriptors that this process may open; raises the soft limit to the hard one."""
    try:
        import resource
    except ImportError:  # Windows
        return 512
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = 65536
    if soft < hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError):
            pass
    return soft
