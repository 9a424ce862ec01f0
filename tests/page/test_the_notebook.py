"""`app.ipynb` is short, clean, and runs from top to bottom without a browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.page.conftest import NOTEBOOK, ROOT


def test_it_is_short_and_holds_no_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert sum(len(cell.source.splitlines()) for cell in code) <= 65
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert code[-1].source.startswith("VBox(")


@pytest.mark.parametrize("home", ["full", "empty"])
def test_it_runs_from_top_to_bottom(
    home: str, a_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEZAKO_HOME", str(a_workspace if home == "full" else tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(
        notebook, timeout=60, resources={"metadata": {"path": NOTEBOOK.parent}}
    ).execute()
    assert "application/vnd.jupyter.widget-view+json" in notebook.cells[-1].outputs[0].data


def test_page_and_server_need_no_torch() -> None:
    program = (
        "import sys, kezako.page, kezako.serve.app, kezako.serve.jupyter;"
        "print([name for name in ('torch', 'torchvision', 'fastai') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr
