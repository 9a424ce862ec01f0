"""Disks as people have them, full or read-only, for one command: mounts that nobody else sees."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from tests.needs import needs

_SMALL = """
mount -t tmpfs -o size="$2" tmpfs "$1"
shift 2
"""
_COPIED = """
target="$1" size="$2" source="$3"
mount -t tmpfs -o size="$size" tmpfs "$target"
cp -a "$source/." "$target"
shift 3
"""
_READ_ONLY = """
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
shift
"""


def on_a_small_disk(
    folder: Path,  # an empty one
    size: str,  # as tmpfs takes it, such as "30m"
    source: Path | None = None,  # what is copied there first
) -> list[str]:
    """What stands before a command for which `folder` is a disk of its own."""
    if source is None:
        return _alone(_SMALL, str(folder), size)
    return _alone(_COPIED, str(folder), size, str(source))


def on_a_read_only_disk(folder: Path) -> list[str]:
    """What stands before a command that can read `folder` and not write it, as root neither."""
    return _alone(_READ_ONLY, str(folder))


def _alone(script: str, *given: str) -> list[str]:
    needs("mounts of its own", _can_mount(), "unshare is forbidden, or missing")
    return [*_namespace(), "sh", "-ec", f'{script}exec "$@"', "sh", *given]


@cache
def _namespace() -> list[str]:
    """As root, or as who is root within a namespace of users."""
    for command in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        try:
            done = subprocess.run(
                [*command, "sh", "-ec", "mount -t tmpfs tmpfs /mnt"],
                capture_output=True, check=False,
            )  # fmt: skip
        except FileNotFoundError:
            return []
        if done.returncode == 0:
            return command
    return []


def _can_mount() -> bool:
    return bool(_namespace())
