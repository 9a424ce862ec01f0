"""A reader with a fresh copy of the repository, who types what the pages say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.markdown import Block, blocks
from tests.docs.shell import Shell, commands
from tests.standin import Standin

# What somebody who reads the new recipe might set, so that a test is not half an hour long.
SMALL = "pictures_per_class = 24\nimage_size = 64\nepochs = 1\n\n"
NEW = "kezako new "


class Reader:
    """Follows one page in one folder."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.folder = folder
        self._shell = Shell(folder, environment)
        self.typed: list[str] = []

    def follow(self, page: Path) -> None:
        """Do all that a page says, except what it marks as not to be run."""
        for block in blocks(page):
            if block.not_run is None:
                self._do(block)

    def leave(self) -> None:
        self._shell.close()

    def _do(self, block: Block) -> None:
        if block.saved_as:
            (self.folder / block.saved_as).write_text(block.text, encoding="utf-8")
        elif block.kind == "sh":
            for command in commands(block.text):
                self._type(command)
        elif block.kind == "python":
            script = self.folder.parent / f"line_{block.line}.py"
            script.write_text(block.text, encoding="utf-8")
            self._type(f"python '{script}'")

    def _type(self, command: str) -> None:
        self.typed.append(command)
        said = self._shell.type(command)
        assert '"error"' not in said or not command.startswith("curl"), f"{command!r} got {said}"
        if command.startswith(NEW):
            recipe = self.folder / "data" / command.split()[2] / "recipe.toml"
            recipe.write_text(SMALL + recipe.read_text(encoding="utf-8"), encoding="utf-8")


@pytest.fixture(scope="module")
def the_readers_web() -> Iterator[Standin]:
    """Search engines and pictures, played on this machine."""
    standin = Standin(photos=None, drawn=40).start()
    yield standin
    standin.stop()


@pytest.fixture(scope="module")
def the_environment(
    the_readers_web: Standin, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """That of a reader whose machine reaches nothing but the stand-in web."""
    jupyter = tmp_path_factory.mktemp("jupyter")
    # Tests run as root in containers; Jupyter then wants to hear that this is meant.
    (jupyter / "jupyter_server_config.json").write_text(
        json.dumps({"ServerApp": {"allow_root": True, "open_browser": False}})
    )
    nowhere = "http://127.0.0.1:9"
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("KEZAKO_")},
        **the_readers_web.environment(),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "BROWSER": "true",  # the command that does nothing
        "KEZAKO_WEIGHTS": "starter",
        "JUPYTER_CONFIG_DIR": str(jupyter),
        "OMP_NUM_THREADS": "1",
        "PIP_NO_INDEX": "1",
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), nowhere),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
    }


@pytest.fixture(scope="module")
def a_fresh_copy(
    tmp_path_factory: pytest.TempPathFactory, some_photos: dict[str, list[Path]]
) -> Path:
    """What a clone would hold, with the few files of their own that readers have at hand."""
    copy = tmp_path_factory.mktemp("reader") / "kezako"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, listed):
        if (ROOT / name).is_file():  # one that was deleted is still listed
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(sys.prefix)
    for label, photo in zip(("black", "grizzly", "teddy"), some_photos.values(), strict=False):
        (copy / "photos" / label).mkdir(parents=True)
        for path in photo[:8]:
            shutil.copy(path, copy / "photos" / label)
    shutil.copy(next(iter(some_photos.values()))[0], copy / "bear.jpg")
    shutil.copy(copy / "models" / "bears" / "export.pkl", copy)
    return copy


@pytest.fixture(scope="module")
def reading(the_environment: dict[str, str]) -> Callable[[Path, Path], list[str]]:
    """Follows a page in a copy, and returns what was typed."""

    def read(copy: Path, page: Path) -> list[str]:
        reader = Reader(copy, the_environment | {"PYTHONPATH": str(copy)})
        try:
            reader.follow(page)
        finally:
            reader.leave()
        return reader.typed

    return read
