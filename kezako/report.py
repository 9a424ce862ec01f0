"""`kezako train NAME`: execute the training notebook, and keep it as the bundle's report.

Not below `kezako.train`, whose import is torch's: only the notebook's own process needs that.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
import papermill
from nbconvert import HTMLExporter
from papermill.exceptions import PapermillExecutionError

from kezako.bundle import REPORT, Card, amend, read_card
from kezako.errors import KezakoError
from kezako.recipe import Recipe
from kezako.workspace import Workspace

PHOTOS = "photos"  # the tag of cells that show gathered pictures
TOGETHER = "together"  # the tag of cells that every process of torchrun runs; the first runs all
LEFT_OUT = "The pictures are left out of this report, because they are not ours to publish."
# What a notebook cell raises for the maker, as a sentence that names what to do.
_SENTENCES = ("KezakoError", "NoPictures", "RecipeError", "NotPortable", "SourceStopped")


class TrainingStopped(KezakoError):
    """The notebook ended early; the message is the sentence of the cell that failed."""


def train(
    recipe: Recipe,
    workspace: Workspace,
    photos: bool = True,  # False: a report that may be published, without the pictures
) -> Card | None:
    """Train `recipe` by its notebook. Raises `TrainingStopped`; the old bundle then stays.

    None in all but the first of several processes that torchrun has started.
    """
    is_first = int(os.environ.get("RANK", 0)) == 0
    with tempfile.TemporaryDirectory() as folder:
        executed = Path(folder) / "train.ipynb"
        source = workspace.notebook("train")
        if not is_first:
            source = _shared_part(source, Path(folder) / "shared.ipynb")
        with _terminal(is_first), _environment(workspace):
            try:
                papermill.execute_notebook(
                    source,
                    executed,
                    parameters={"name": recipe.name, "interactive": False},
                    cwd=str(workspace.root),
                    log_output=True,
                    progress_bar=is_first,
                )
            except PapermillExecutionError as error:
                raise TrainingStopped(_sentence(error, executed, workspace)) from error
        if not is_first:
            return None
        bundle = workspace.bundle(recipe.name)
        amend(bundle, {REPORT: _report(executed, recipe, photos).encode()})
    return read_card(bundle)


def _shared_part(source: Path, target: Path) -> Path:
    """The cells that every process runs, as a notebook of their own."""
    notebook = nbformat.read(source, as_version=4)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if {TOGETHER, "parameters"} & set(cell.metadata.get("tags", ()))
    ]
    nbformat.write(notebook, target)
    return target


def _report(executed: Path, recipe: Recipe, photos: bool) -> str:
    notebook = nbformat.read(executed, as_version=4)
    notebook.metadata["title"] = recipe.title
    for cell in notebook.cells:
        if not photos and PHOTOS in cell.metadata.get("tags", ()):
            cell.outputs = [nbformat.v4.new_output("stream", text=LEFT_OUT)]
    # No formulas: a class may be called "$x$", and their script would come from elsewhere.
    exporter = HTMLExporter(embed_images=True, mathjax_url="data:,")
    html, _ = exporter.from_notebook_node(notebook)
    return str(html)


def _sentence(error: PapermillExecutionError, executed: Path, workspace: Workspace) -> str:
    if error.ename in _SENTENCES:
        return str(error.evalue)
    kept = workspace.models / ".failed.ipynb"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(executed, kept)  # papermill writes it after every cell
    return (
        f"The training notebook stopped at cell {error.exec_count} with {error.ename}: "
        f"{error.evalue}. It is kept in {kept}; open it to see where."
    )


class _terminal:
    """Shows what the notebook's cells print, without papermill's own lines."""

    def __init__(self, shown: bool):
        self._shown = shown

    def __enter__(self) -> None:
        self._logger = logging.getLogger("papermill")
        self._handler = logging.StreamHandler(sys.stderr)
        self._handler.setFormatter(logging.Formatter("%(message)s"))
        self._handler.addFilter(lambda record: self._shown and _is_progress(record))
        self._before = self._logger.level, self._logger.propagate
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        self._logger.addHandler(self._handler)

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self._handler)
        self._logger.level, self._logger.propagate = self._before


class _environment:
    """What the notebook's kernel is told: where the workspace is, and to wait without spinning.

    OpenMP's threads spin while they wait. Beside anything else that is busy (a browser, a second
    training) that makes an epoch take many times as long.
    """

    def __init__(self, workspace: Workspace):
        self._set = {"KEZAKO_HOME": str(workspace.root), "OMP_WAIT_POLICY": "PASSIVE"}

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._set}
        os.environ.update(self._set)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _is_progress(record: logging.LogRecord) -> bool:
    return record.getMessage().startswith(("epoch ", "Going on", "The last layers", "Downloading"))
