"""Folders that are made once for all processes of a run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(
    factory: pytest.TempPathFactory,
    name: str,  # the folder's; no two kinds share one
    make: Callable[[Path], object],  # fills it; it exists and is empty
) -> Path:
    """The folder, filled by the process that needs it first; to be read only."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    made, ended = folder / name, folder / f"{name}.made"
    with FileLock(folder / f"{name}.lock"):
        if not ended.exists():
            shutil.rmtree(made, ignore_errors=True)  # of one that failed
            made.mkdir()
            make(made)
            ended.touch()
    return made.resolve()
