"""Both notebooks run from top to bottom under nbval, as a reviewer would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.edited import edited

ROOT = Path(__file__).parents[1]


def under_nbval(notebook: Path, home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "--rootdir", str(notebook.parent), "-c", os.devnull, "--nbval-lax",
         "--nbval-cell-timeout=300", str(notebook)],
        env={**os.environ, "KEZAKO_HOME": str(home), "PYTHONPATH": str(ROOT),
             "KEZAKO_WEIGHTS": "starter"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_the_page_runs(a_bundle: Callable[..., Path], tmp_path: Path) -> None:
    a_bundle(tmp_path / "models", "colours", ("red", "green", "blue"))
    assert "3 passed" in under_nbval(ROOT / "notebooks" / "app.ipynb", tmp_path)


@pytest.mark.slow
def test_the_training_runs_and_leaves_a_bundle(
    tmp_path: Path, gathered_faces: Callable[[Workspace, int], Recipe]
) -> None:
    workspace = Workspace(tmp_path)
    recipe = gathered_faces(workspace, 12)
    assert recipe.path
    quick = edited(recipe.path.read_text(), "\nepochs = 10\n", "\nepochs = 1\n")
    quick = edited(quick, "image_size = 96", "image_size = 64")
    (tmp_path / "data" / "smileys" / "recipe.toml").write_text(quick)
    story = (ROOT / "notebooks" / "train.ipynb").read_text()
    notebook = tmp_path / "notebooks" / "train.ipynb"
    notebook.parent.mkdir()
    notebook.write_text(edited(story, '"name = \\"bears\\"', '"name = \\"smileys\\"'))
    assert "passed" in under_nbval(notebook, tmp_path)
    assert (tmp_path / "models" / "smileys" / "model.onnx").is_file()
