"""The release: what wheel and source archive hold, and the wheel where nothing else is."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import pytest

from kezako import __version__
from kezako.gather.sample import CLASSES, draw_face
from kezako.words import languages

pytestmark = pytest.mark.hosts

DEADLINE = 900  # seconds for the slowest step, on a busy machine and a slow network
NAME = f"kezako-{__version__}"
LARGEST = 40 << 20  # bytes; the starter weights are 23 MB


@pytest.fixture(scope="module")
def the_release(the_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the wheel and the source archive, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    build(the_repository, folder, "wheel", "sdist")
    return folder


@pytest.fixture(scope="module")
def the_wheel(the_release: Path) -> Path:
    return the_release / f"{NAME}-py3-none-any.whl"


def build(source: Path, folder: Path, *targets: str) -> None:
    wanted = [part for target in targets for part in ("-t", target)]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *wanted, "-d", str(folder)],
        cwd=source, check=True, capture_output=True,
    )  # fmt: skip


def contents(wheel: Path) -> dict[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_the_notebooks_and_the_starter_weights(
    the_repository: Path, the_wheel: Path
) -> None:
    beside = [
        *(the_repository / "notebooks").glob("*.ipynb"),
        *(file for file in (the_repository / "models" / "starter").glob("*") if file.is_file()),
    ]
    assert {"notebooks", "starter"} == {file.parent.name for file in beside}
    names = set(contents(the_wheel))
    assert {f"kezako/{file.parent.name}/{file.name}" for file in beside} <= names
    assert "kezako/cli/__init__.py" in names
    assert {f"kezako/words/{code}.toml" for code in languages()} <= names
    assert any(name.endswith("jupyter_server_config.d/kezako.json") for name in names)
    assert any(name.endswith("share/jupyter/voila/templates/kezako/conf.json") for name in names)


def test_it_holds_nothing_else(the_wheel: Path) -> None:
    names = set(contents(the_wheel))
    assert {name.split("/")[0] for name in names} == {
        "kezako", "voila_snapshot", f"{NAME}.data", f"{NAME}.dist-info"
    }  # fmt: skip
    unwanted = (".jpg", ".jpeg", ".pyc", ".pkl", ".db", ".ipynb_checkpoints")
    assert not {name for name in names if name.endswith(unwanted) or "/test" in name}
    assert the_wheel.stat().st_size < LARGEST


def test_the_source_archive_builds_the_same_wheel(
    the_release: Path, the_wheel: Path, tmp_path: Path
) -> None:
    with tarfile.open(the_release / f"{NAME}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / NAME
    assert not any((source / left_out).exists() for left_out in ("tests", "data", "models/bears"))
    build(source, tmp_path, "wheel")
    assert contents(tmp_path / the_wheel.name) == contents(the_wheel)


@pytest.fixture
def an_environment(the_wheel: Path, tmp_path: Path) -> Iterator[Path]:
    """The programs of an environment that holds the wheel and what it asks for, nothing else."""
    place = tmp_path / "env"
    venv.create(place, with_pip=True, symlinks=True)
    install = ("-m", "pip", "install", "--quiet", "--no-compile", f"{the_wheel}[train]")
    run(place / "bin" / "python", *install)
    yield place / "bin"
    shutil.rmtree(place)  # 2 GB, which pytest would keep for a while


@pytest.mark.slow
def test_from_nothing_to_a_page_outside_any_clone(an_environment: Path, tmp_path: Path) -> None:
    bin, here = an_environment, tmp_path / "some where é"
    here.mkdir()
    run(bin / "kezako", "sample", "smileys", "--pictures", "40", folder=here)
    recipe = here / "data" / "smileys" / "recipe.toml"
    recipe.write_text('fit = "quick"\n' + recipe.read_text("utf-8"), "utf-8")
    said = run(bin / "kezako", "train", "smileys", folder=here)
    assert "Next: kezako serve smileys" in said
    assert {path.name for path in here.iterdir()} == {"data", "models"}
    with serving(bin / "kezako", here) as address:
        assert "kezako" in urllib.request.urlopen(address, timeout=60).read().decode().lower()
        asked = [(mood, number) for mood in CLASSES for number in range(4)]
        answers = [ask(address, *face) for face in asked]
    assert all(set(said) == set(CLASSES) for said in answers)
    right = [max(said, key=lambda label: said[label]) == mood
             for (mood, _), said in zip(asked, answers, strict=True)]  # fmt: skip
    assert sum(right) >= 6  # of 12; about 10, from 40 drawings a class


def environment() -> dict[str, str]:
    """This one's, without what would lead to the clone."""
    drop = re.compile(r"KEZAKO_|PYTHON|VIRTUAL_ENV|JUPYTER_")
    kept = {name: value for name, value in os.environ.items() if not drop.match(name)}
    return kept | {"KEZAKO_WEIGHTS": "starter", "OMP_NUM_THREADS": "2", "BROWSER": "true"}


def run(program: Path, *arguments: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        [str(program), *arguments], cwd=folder or program.parent, env=environment(),
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@contextmanager
def serving(program: Path, folder: Path) -> Iterator[str]:
    """The address of the page, once it is ready for visitors."""
    server = subprocess.Popen(
        [str(program), "serve", "smileys"],
        cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found
        end = time.monotonic() + DEADLINE
        while not is_ready(f"{found[0]}healthz"):
            assert server.poll() is None
            assert time.monotonic() < end
            time.sleep(0.2)
        yield found[0]
    finally:
        server.terminate()
        server.wait(60)


def is_ready(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=10).close()
    except (urllib.error.HTTPError, urllib.error.URLError):
        return False
    return True


def ask(address: str, mood: str, number: int) -> dict[str, float]:
    """The API's probabilities for a face that it has not learnt from."""
    file = io.BytesIO()
    draw_face(mood, number, seed=7).save(file, "png")
    request = urllib.request.Request(
        f"{address}api/predict", file.getvalue(), {"Content-Type": "image/png"}
    )
    said: dict[str, float] = json.load(urllib.request.urlopen(request, timeout=60))["probabilities"]
    return said
