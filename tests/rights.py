"""Commands that feel missing write bits, also where root runs the tests."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DROP, OVERRIDE, SEARCH = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python ARGUMENTS`, which may write only where the bits say so."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        preexec_fn=_give_up if os.geteuid() == 0 else None,
    )  # fmt: skip


@contextmanager
def without_write_bits(folder: Path) -> Iterator[None]:
    """Within the block nothing in `folder` can be written; what is made in it is refused."""
    paths = [folder, *folder.rglob("*")]
    before = {path: path.stat().st_mode for path in paths}
    for path, mode in before.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in before.items():
            path.chmod(mode)


def _give_up() -> None:
    """Root's right to pass over write bits, for the program that is started next."""
    prctl = ctypes.CDLL(None).prctl
    if prctl(DROP, OVERRIDE, 0, 0, 0) or prctl(DROP, SEARCH, 0, 0, 0):
        raise OSError("this root cannot give up its rights")
