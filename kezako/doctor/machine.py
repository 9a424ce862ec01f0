"""Checks of the machine: system, memory, disk, ports, browser."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import socket
import webbrowser
from collections.abc import Iterator
from pathlib import Path

from kezako.doctor.finding import Finding

PORTS = {"page": 8866, "cleaner": 8868}  # where `serve` and `clean --open` start to look
TRIED = 5  # ports, one after the other, as these commands do
MEMORY = 400 << 20  # bytes; the server, its snapshot and a first visitor take less
DISK = 3 << 30  # bytes for the packages of training and some pictures
CHROMIUM = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)


def machine(root: Path) -> Iterator[Finding]:
    """Findings about system, workspace, memory and disk."""
    yield Finding("ok", "system", f"{platform.platform()}, {_cores()} cores")
    yield Finding("ok", "workspace", str(root))
    yield from _memory()
    free = shutil.disk_usage(root if root.exists() else Path.cwd()).free
    if free < DISK:
        yield Finding("--", "disk", f"{_size(free)} free at {root}",
                      "Training installs 2 GB, and pictures come on top.")  # fmt: skip
    else:
        yield Finding("ok", "disk", f"{_size(free)} free at {root}")


def ports(wanted: dict[str, int] = PORTS) -> Iterator[Finding]:
    """Whether the default ports are free."""
    for name, first in wanted.items():
        free = next((port for port in range(first, first + TRIED) if _is_free(port)), None)
        if free == first:
            yield Finding("ok", f"port of the {name}", f"{first} is free")
        elif free:
            yield Finding("--", f"port of the {name}", f"{first} is taken; {free} will be used",
                          "Another one may be running already. --port chooses.")  # fmt: skip
        else:
            last = first + TRIED - 1
            yield Finding("--", f"port of the {name}", f"{first} to {last} are taken",
                          "Choose one with --port.")  # fmt: skip


def browser() -> Iterator[Finding]:
    """The browser for the page, and Chromium for the tests."""
    try:
        name = getattr(webbrowser.get(), "name", "the system's")
    except webbrowser.Error:
        yield Finding("--", "browser", "none that can be opened from here",
                      "Open the address that kezako serve prints in any browser.")  # fmt: skip
    else:
        yield Finding("ok", "browser", f"{name} opens by itself")
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium:
        yield Finding("ok", "Chromium", f"{chromium}, for tests and screenshots")
    else:
        yield Finding("--", "Chromium", "missing; only tests and screenshots need it",
                      "make test installs one.")  # fmt: skip


def _memory() -> Iterator[Finding]:
    try:
        from kezako.serve import memory
    except ImportError as error:
        yield Finding("--", "memory", f"not known, since {error.name} is missing")
        return
    left, total = memory.left(), memory.total()
    found = f"{_size(left)} of {_size(total)} left"
    if left < MEMORY:
        yield Finding("--", "memory", found, f"The page needs about {_size(MEMORY)}: end something "
                      "else, or take a larger host.")  # fmt: skip
    else:
        yield Finding("ok", "memory", found)


def _is_free(port: int) -> bool:
    """Whether a server could listen on it. A port that the system forbids counts as taken."""
    with socket.socket() as probe:
        if os.name == "posix":  # on Windows this would steal a port in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            return False
    return True


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))  # the cores that this process may use
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def _size(bytes: int) -> str:
    return f"{bytes / (1 << 30):.1f} GB" if bytes >= 1 << 30 else f"{bytes >> 20} MB"
