"""`kezako deploy HOST NAME FOLDER`: write a folder with a classifier for a host."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kezako.deploy import contents, sizes
from kezako.deploy.hosts import Host
from kezako.errors import KezakoError, sentence
from kezako.model.bundle import new_bundle
from kezako.workspace import Workspace

LARGE = "git-lfs"


def make_repository(folder: Path, message: str, large_files: bool = False) -> None:
    """Make a git repository with one commit. Raises `KezakoError` if git is missing or fails."""
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
    _git(folder, "add", "--all", "--force")  # also files that the user's global gitignore excludes
    _git(folder, "commit", "--quiet", f"--message={message}")


def _git(folder: Path, *command: str) -> None:
    # Inside a hook of another repository, these variables would point there.
    elsewhere = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    done = subprocess.run(
        ["git", *command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise KezakoError(f"git {command[0]} failed; it says: {said}")


_BY_HAND = """\
    git init -b main
    git add .
    git commit -m "The page"
"""


@dataclass(frozen=True)
class Deployed:
    """The result of `deploy`."""

    folder: Path
    files: int
    rows: list[sizes.Row]
    warning: str  # what may exceed the host's limits; usually empty


def deploy(
    host: Host,
    name: str,  # the classifier
    folder: Path,  # new or empty
    workspace: Workspace,
    git: bool = False,  # make it a git repository with one commit
) -> Deployed:
    """Write what `host` needs to serve one classifier, atomically.

    Raises `KezakoError` if the folder is not empty, the classifier cannot be used, or the host
    would refuse it.
    """
    folder = folder.expanduser().absolute()
    try:
        with new_bundle(folder, replace=False) as staged:
            card = contents.copy_bundle(workspace.bundle(name), staged / "models" / name)
            contents.copy_package(staged)
            contents.copy_page(workspace, staged)
            contents.write_pins(host, staged)
            contents.write_files(host, name, card, "" if git else _by_hand(host), staged)
            rows = sizes.measure(staged, host)
            if refused := sizes.problems(rows, host, certain=True):
                raise KezakoError(refused)
            files = sum(path.is_file() for path in staged.rglob("*"))
            if git:
                make_repository(staged, f"The page of {name}", host.large_files)
    except OSError as error:
        told = sentence(error, [folder]) or f"{folder} cannot be written ({error})."
        raise KezakoError(told) from error
    return Deployed(folder, files, rows, sizes.problems(rows, host, certain=False))


def _by_hand(host: Host) -> str:
    """The commands for the README that --git makes unnecessary."""
    return ("    git lfs install\n" if host.large_files else "") + _BY_HAND
