"""Killed before, between and after its renames, applying and undoing end as undisturbed."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from kezako.clean.marks import apply_marks, set_mark, undo
from kezako.dataset.manifest import Manifest
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.clean.test_marks import snapshot
from tests.needs import only_where

# Dies by SIGKILL instead of the n-th rename; the renames before it are done.
KILLED = """
import os, signal, sys
from kezako.clean import marks
from kezako.workspace import Workspace
left = [int(sys.argv[2])]
rename = os.replace
def replace(source, target):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    rename(source, target)
os.replace = replace
workspace = Workspace.find()
getattr(marks, sys.argv[1])(workspace.recipe("colours"), workspace)
"""


@only_where(sys.platform != "win32", "signals")
@pytest.mark.parametrize("renamed", [0, 2])
@pytest.mark.parametrize("step", ["apply_marks", "undo"])
def test_a_killed_batch_is_finished(
    step: str,
    renamed: int,
    the_manifest: Manifest,
    gathered_colours: Recipe,
    an_empty_workspace: Workspace,
) -> None:
    before = snapshot(the_manifest)
    for row, mark in zip(
        the_manifest.rows(folder="red"), ("delete", "move:blue", "delete"), strict=False
    ):
        set_mark(the_manifest, row, mark)
    if step == "undo":
        apply_marks(gathered_colours, an_empty_workspace)
    program = [sys.executable, "-c", KILLED, step, str(renamed)]
    assert subprocess.run(program, check=False).returncode == -signal.SIGKILL
    assert not all((the_manifest.folder / str(row.file)).is_file() for row in the_manifest.rows())
    the_manifest.recover()
    assert all((the_manifest.folder / str(row.file)).is_file() for row in the_manifest.rows())
    statuses = [row.status for row in the_manifest.rows()]
    if step == "apply_marks":
        assert statuses.count("removed") == 2
        assert undo(gathered_colours, an_empty_workspace) == 3
    assert snapshot(the_manifest) == before
