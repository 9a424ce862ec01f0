"""What real, older fastai exports: the page says what its `learn.predict` said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kezako.gather.sample import draw_face
from kezako.importer.run import Request, import_export
from kezako.model.classifier import Classifier
from kezako.workspace import Workspace
from scripts.older_fastai import VERSIONS, python_of
from tests.needs import needs

pytestmark = [pytest.mark.hosts, pytest.mark.slow]
KINDS = 16  # of tests/export/maker.py, those of timm left out
CLOSE = 0.001  # of a probability


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve faces of each of two moods, in a folder each."""
    folder = tmp_path_factory.mktemp("faces")
    for mood in ("happy", "sad"):
        (folder / mood).mkdir()
        for number in range(12):
            draw_face(mood, number).save(folder / mood / f"{number}.png")
    return folder


@pytest.mark.parametrize("version", VERSIONS)
def test_the_page_says_what_it_said(version: str, faces: Path, tmp_path: Path) -> None:
    python = python_of(version)
    needs("older fastai", python.is_file(), f"python scripts/older_fastai.py {version}")
    maker = Path(__file__).with_name("maker.py")
    subprocess.run([python, maker, faces, tmp_path], check=True, capture_output=True, text=True)
    kinds = sorted(tmp_path.glob("*.json"))
    assert len(kinds) >= KINDS
    workspace = Workspace(tmp_path / "home")
    for number, told in enumerate(kinds):
        export, then = told.with_suffix(".pkl"), json.loads(told.read_text("utf-8"))
        name = f"kind-{number}"
        request = Request(export, name, None, (), None, None, (), False)
        import_export(request, workspace, say=lambda _: None)
        classifier = Classifier.open(workspace.bundle(name))
        for photo, said in then["said"].items():
            found = classifier.predict(faces / photo).probabilities
            ours = [found[label] for label in then["labels"]]
            assert ours == pytest.approx(said, abs=CLOSE), f"{told.stem} of {then['fastai']}"
        sys.stdout.write(f"{told.stem}: the same\n")
