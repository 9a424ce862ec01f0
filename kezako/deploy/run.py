"""`kezako deploy HOST NAME FOLDER`: a classifier -> a folder for a host."""

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


_BY_HAND = """\
    git init -b main
    git add .
    git commit -m "The page"
"""


@dataclass(frozen=True)
class Deployed:
    """What was written, and how large it is."""

    folder: Path
    files: int
    rows: list[sizes.Row]
    warning: str  # what the host may not bear; mostly empty


def deploy(
    host: Host,
    name: str,  # the classifier
    folder: Path,  # new or empty
    workspace: Workspace,
    git: bool = False,  # make it a git repository with one commit
) -> Deployed:
    """Write what `host` needs to serve one classifier, whole or not at all.

    Raises `KezakoError`: for a folder that holds something, for a classifier that
    cannot be used, and for one that the host would not take.
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
    """The commands that --git spares."""
    return ("    git lfs install\n" if host.large_files else "") + _BY_HAND
