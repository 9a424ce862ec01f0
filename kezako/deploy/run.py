"""`kezako deploy HOST NAME FOLDER`: a classifier -> a folder for a host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kezako.deploy import contents, sizes
from kezako.deploy.git import make_repository
from kezako.deploy.hosts import Host
from kezako.errors import KezakoError, sentence
from kezako.model.bundle import new_bundle
from kezako.workspace import Workspace

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
