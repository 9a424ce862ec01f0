"""What is left of a container's memory is read from where the kernel says it, old way and new."""

from __future__ import annotations

import os
from mmap import mmap
from pathlib import Path

import psutil

from kezako.serve import memory

GIB = 1024**3


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name.replace("__", ".")).write_text(f"{value}\n")


def test_a_container_of_the_new_kind(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/\n")
    write(
        tmp_path, memory__max=512 * 1024**2, memory__current=300 * 1024**2,
        memory__stat="anon 1\ninactive_file 104857600",
    )  # fmt: skip
    assert memory.total(tmp_path, own) == 512 * 1024**2
    assert memory.left(tmp_path, own) == (512 - 200) * 1024**2


def test_the_tightest_of_the_groups_around_counts(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/slice/app\n")
    write(tmp_path / "slice", memory__max=GIB // 4, memory__current=GIB // 8)
    write(tmp_path / "slice" / "app", memory__max="max", memory__current=GIB // 16)
    assert memory.total(tmp_path, own) == GIB // 4
    assert memory.left(tmp_path, own) == GIB // 8


def test_a_container_of_the_old_kind(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n0::/\n")
    write(
        tmp_path / "memory", memory__limit_in_bytes=GIB // 2, memory__usage_in_bytes=GIB // 4,
        memory__stat="total_inactive_file 0",
    )  # fmt: skip
    assert memory.total(tmp_path, own) == GIB // 2
    assert memory.left(tmp_path, own) == GIB // 4


def test_without_a_container_the_machine_counts(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("4:memory:/\n")
    write(tmp_path / "memory", memory__limit_in_bytes=2**63 - 4096, memory__usage_in_bytes=1)
    assert memory.total(tmp_path, own) == psutil.virtual_memory().total
    assert memory.total(tmp_path, tmp_path / "nothing") == psutil.virtual_memory().total


def test_what_a_process_holds_alone() -> None:
    before = memory.alone(os.getpid())
    with mmap(-1, 64 * 1024**2) as held:  # not of the heap, where other tests may have left room
        held.write(os.urandom(1) * len(held))
        assert memory.alone(os.getpid()) - before > 60 * 1024**2
    assert memory.alone(2**22 + 1) == 0
