"""Notebooks are committed without outputs, so that a change shows what a person changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


def test_both_notebooks_are_there() -> None:
    assert {"train.ipynb", "app.ipynb"} <= {notebook.name for notebook in NOTEBOOKS}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_clean(notebook: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "nbstripout", "--keep-id", "--verify", str(notebook)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, (
        f"Run: nbstripout --keep-id notebooks/*.ipynb\n{ran.stdout}{ran.stderr}"
    )


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_valid_and_names_no_machines_path(notebook: Path) -> None:
    nbformat.validate(nbformat.read(notebook, as_version=4))
    text = notebook.read_text(encoding="utf-8")
    assert not [path for path in ("/home/", "/Users/", "/tmp/", "C:\\\\") if path in text]
