"""Binder's way, step by step: repo2docker says the steps, this machine plays them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import repo2docker.buildpacks.conda
import yaml
from repo2docker.buildpacks import PythonBuildPack

from benchmarks.ports import unused_port
from tests.deploy.running import Running, running

TOKEN = "a-token-of-this-test"
BASE = "user/owner-repo-ab12cd34/"  # Binder gives each launch an address of its own
# What conda calls otherwise than pip, or what a virtual environment has already.
NAMES = {"jupyterhub-singleuser": "jupyterhub", "python": "", "nodejs": "", "pip": ""}


def base_packages(python: str) -> list[str]:
    """What repo2docker installs before the repository's own, as requirements for pip."""
    folder = Path(repo2docker.buildpacks.conda.__file__).parent
    listed = yaml.safe_load((folder / f"environment.py-{python}.yml").read_text())["dependencies"]
    renamed = ((NAMES.get(name, name), version) for name, version in map(_parted, listed))
    return [name + version for name, version in renamed if name]


def _parted(line: str) -> tuple[str, str]:
    """A package's name, and what follows it."""
    found = re.fullmatch(r"([\w-]+)(.*)", line)
    assert found, line
    return found[1], found[2]


def build(repository: Path, environment: Path) -> None:
    """Run there what repo2docker would; `environment` is that of the notebook server."""
    commands = _steps(repository)
    assert any("requirements.txt" in command for command in commands)
    assert commands[-1].endswith("postBuild")
    settings = {
        **os.environ,
        "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
        "KERNEL_PYTHON_PREFIX": str(environment),
        "NB_PYTHON_PREFIX": str(environment),
        "REPO_DIR": str(repository),
    }
    for command in commands:
        subprocess.run(
            ["bash", "-ec", command], cwd=repository, env=settings, check=True, capture_output=True
        )


def _steps(repository: Path) -> list[str]:
    """The commands that repo2docker finds for it; it looks in the working directory."""
    here = os.getcwd()
    os.chdir(repository)
    try:
        pack = PythonBuildPack("buildpack-deps:noble")
        assert pack.detect(), "repo2docker sees no Python here"
        assert (pack.python_version, pack.separate_kernel_env) == ("3.11", False)
        steps = [*pack.get_preassemble_scripts(), *pack.get_assemble_scripts()]
        after = pack.get_post_build_scripts()
    finally:
        os.chdir(here)
    return [*(command for _, command in steps), *(f"./{script}" for script in after)]


@contextmanager
def launched(repository: Path, environment: Path, *more: str) -> Iterator[Running]:
    """The Jupyter server as Binder starts it; `more` is what it is told besides."""
    port = unused_port()
    arguments = [
        "--ip=0.0.0.0", f"--port={port}", f"--ServerApp.base_url=/{BASE}",
        f"--ServerApp.token={TOKEN}", "--ServerApp.trust_xheaders=True",
    ]  # fmt: skip
    command = [str(environment / "bin" / "python"), "-m", "notebook", *arguments, *more]
    settings = {
        "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
        "HOME": str(repository),  # as at Binder
        "LANG": "en_US.UTF-8",
    }
    with running([*command, "--allow-root"], repository, port, **settings) as server:
        yield server.until_ready(f"{BASE}api/status?token={TOKEN}")


def landing(server: Running, link: str) -> str:
    """Where a launch link leads once its server runs."""
    found = re.search(r"[?&]urlpath=([^&]+)", link)
    assert found, f"{link} opens nothing"
    return address(server, unquote(found[1]))


def address(server: Running, path: str) -> str:
    """A path of the server, for who may enter."""
    return f"{server.address}{BASE}{path}?token={TOKEN}"
