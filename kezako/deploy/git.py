"""A folder -> a git repository with one commit."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from kezako.errors import KezakoError

LARGE = "git-lfs"


def make_repository(folder: Path, message: str, large_files: bool = False) -> None:
    """Raises ValueError with a sentence where git is missing, or does not do it."""
    if shutil.which("git") is None:
        raise KezakoError("git is not installed; install it, or leave out --git.")
    if large_files and shutil.which(LARGE) is None:
        raise KezakoError(
            f"{LARGE} is not installed, and this host takes models through it alone; install it, "
            "or leave out --git and upload the folder in the browser."
        )
    _git(folder, "init", "--quiet", "--initial-branch=main")
    if large_files:
        _git(folder, "lfs", "install", "--local")
    _git(folder, "add", "--all", "--force")  # whatever a maker's own list of ignored files says
    _git(folder, "commit", "--quiet", f"--message={message}")


def _git(folder: Path, *command: str) -> None:
    # Within another repository's hook these would lead there.
    elsewhere = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    done = subprocess.run(
        ["git", *command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise KezakoError(f"git {command[0]} failed; it says: {said}")
