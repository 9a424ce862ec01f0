"""`kezako doctor` as it is typed."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from kezako.workspace import Workspace
from tests.conftest import ROOT
from tests.standin import Standin


def doctor(home: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "kezako", "doctor", "--offline"],
        cwd=home, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_it_tells_all_and_asks_nobody(an_empty_workspace: Workspace, a_web: Standin) -> None:
    done = doctor(an_empty_workspace.root)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("Python", "voila", "forked kernels", "training", "starter weights"):
        assert f"  ok  {word}" in done.stdout
    assert "kezako sample smileys" in done.stdout  # there is no classifier yet
    assert done.stdout.endswith("The page can be served.\n")
    assert not a_web.requests


def test_a_machine_with_nothing_but_python_is_told_what_to_do(
    an_empty_workspace: Workspace, tmp_path: Path
) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    done = doctor(an_empty_workspace.root, str(tmp_path / "bare" / "bin" / "python"))
    assert done.returncode == 1, done.stderr
    assert "!!  the page" in done.stdout
    assert "No module named" in done.stdout
    assert "training             not possible here" in done.stdout
    assert "-> pip install -e .\n" in done.stdout
    assert done.stdout.endswith("Fix the lines marked !! before you serve the page.\n")
    assert not done.stderr
