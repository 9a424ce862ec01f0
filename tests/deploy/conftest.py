"""What hosts start from: a bare environment, and what is in the repository."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec

from benchmarks.slug import install
from kezako.deploy.hosts import HOSTS
from kezako.deploy.run import deploy
from kezako.workspace import Workspace
from tests.once import made_once


@pytest.fixture(scope="session")
def a_bare_environment(tmp_path_factory: pytest.TempPathFactory, the_repository: Path) -> Path:
    """What every host installs, and nothing else; Kezako is not among it."""
    requirements = the_repository / "binder" / "requirements.txt"
    return made_once(tmp_path_factory, "environment", lambda folder: install(folder, requirements))


@pytest.fixture(scope="session")
def the_files(the_repository: Path) -> list[str]:
    """What git has or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=the_repository, capture_output=True, check=True, text=True,
    )  # fmt: skip
    files = listed.stdout.rstrip("\0").split("\0")
    return [name for name in files if (the_repository / name).is_file()]


@pytest.fixture(scope="session")
def a_clone(the_repository: Path, the_files: list[str]) -> Callable[..., Path]:
    """Copies the repository, less what an ignore file of a host leaves out."""

    def clone(target: Path, ignored: str = "") -> Path:
        left_out = GitIgnoreSpec.from_lines(ignored.splitlines())
        for name in the_files:
            if not left_out.match_file(name):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(the_repository / name, target / name)
        return target

    return clone


@pytest.fixture(scope="session")
def deployed(the_repository: Path) -> Callable[[str, Path], Path]:
    """Writes the shipped classifier's folder for a host."""

    def write(host: str, target: Path) -> Path:
        return deploy(HOSTS[host], "bears", target, Workspace(the_repository)).folder

    return write
