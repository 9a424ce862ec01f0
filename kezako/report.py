"""`kezako train NAME`: execute the training notebook and keep it as the bundle's report.

It is not in `kezako.train`, which imports torch: only the notebook's own process needs that.
"""

from __future__ import annotations

import logging
import os
import pickletools
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter
from nbconvert.filters import strip_ansi
from papermill.exceptions import PapermillExecutionError

from kezako.dataset.readiness import UNFINISHED, forget_checkpoint
from kezako.errors import TOLD, KezakoError, sentence
from kezako.lock import lent, locked
from kezako.model.bundle import (
    CARD,
    CREDITS,
    REPORT,
    BundleError,
    Card,
    handed_over,
    new_bundle,
    read_bundle,
    read_card,
    write_card,
)
from kezako.recipe import Recipe
from kezako.workspace import Workspace

PHOTOS = "photos"  # the tag of cells that show gathered pictures
TOGETHER = "together"  # the tag of cells that every process of torchrun runs; rank 0 runs all cells
LEFT_OUT = "The pictures are left out of this report, because they are not ours to publish."
# The notebook of a failed training, in data/NAME. Not hidden, as Jupyter opens no hidden files.
FAILED = "failed.ipynb"
_GOES_ON = "Going on after epoch"  # starts the line of a `Checkpoint` that resumes a training
_PROGRESS = ("epoch ", _GOES_ON, "The last layers", "Downloading")
DONE = "stopped. The classifier is written; only its report is missing."
NOTHING = "The training notebook ended without a call of `export`, so no classifier was written."
# What is ours is told as a sentence; of the kernel's own log a maker can make nothing.
_KERNEL = ["--IPKernelApp.extensions=kezako.errors", "--IPKernelApp.log_level=50"]


class TrainingStopped(KezakoError):
    """The notebook failed; the message is the sentence of the cell that failed."""


def train(
    recipe: Recipe,
    workspace: Workspace,
    photos: bool = True,  # False: report and bundle may be published, without the pictures
    credits: Callable[[], Path | None] = lambda: None,  # writes the file that goes in as well
) -> Card | None:
    """Train `recipe` with its notebook; the existing model stays until training has succeeded.

    With torchrun, returns None in all processes but rank 0. Raises `TrainingStopped`, which says
    where the notebook is kept; `KeyboardInterrupt`, which says how much of the training is kept;
    and `KezakoError` while another process trains the recipe or changes its pictures.
    """
    rank = int(os.environ.get("RANK", 0))
    data, bundle = workspace.folder(recipe.name), workspace.bundle(recipe.name)
    failed = data / (FAILED.replace(".", f"-{rank}.") if rank else FAILED)
    with _one_exchange(recipe, workspace) as staged, tempfile.TemporaryDirectory() as folder:
        if not rank:
            with locked(data, inside=True):
                pass  # check early: the notebook would fail only after a minute of imports
        executed = Path(folder) / "train.ipynb"
        source = workspace.notebook("train")
        if rank:
            source = _shared_part(source, Path(folder) / "shared.ipynb")
        with _Terminal(shown=not rank) as terminal, _environment(workspace, staged, photos):
            try:
                papermill.execute_notebook(
                    source,
                    executed,
                    parameters={"name": recipe.name, "interactive": False},
                    cwd=str(workspace.root),
                    log_output=True,
                    progress_bar=not rank,
                    extra_arguments=_KERNEL,
                )
                if staged:
                    if not (staged / CARD).is_file():
                        raise KezakoError(NOTHING)
                    card = read_card(staged)
                    report = _report(executed, recipe, photos)
                    (staged / REPORT).write_text(report, encoding="utf-8")
                    if file := credits():
                        shutil.copyfile(file, staged / CREDITS)
                    write_card(staged, card)
            except KeyboardInterrupt:
                # Else asyncio would log an error about the kernel's end when Python exits.
                logging.getLogger("asyncio").setLevel(logging.CRITICAL)
                done = staged is not None and _exported(staged) is not None
                stopped = DONE if done else _stopped(data / UNFINISHED, terminal)
                raise KeyboardInterrupt(stopped) from None
            except Exception as error:
                kept = _keep(executed, failed)
                if (told := _said(error, workspace)) is None:
                    print(f"kezako: {kept}", file=sys.stderr)
                    raise
                raise TrainingStopped(f"{told} {kept}".strip()) from error
    with suppress(OSError):
        failed.unlink()
    return None if rank else read_card(bundle)


@contextmanager
def _one_exchange(recipe: Recipe, workspace: Workspace) -> Iterator[Path | None]:
    """No other process trains `recipe` or writes its bundle, within the block.

    The notebook exports into the folder given, the report is added, and then the whole bundle is
    replaced at once: for running pages each exchange is work. Of several processes that torchrun
    has started the first one does this for all; the others get None. What was exported is put in
    place even where the block fails later.
    """
    if int(os.environ.get("RANK", 0)):
        yield None
        return
    workspace.models.mkdir(parents=True, exist_ok=True)
    bundle = workspace.bundle(recipe.name)
    with locked(bundle):
        failed = None
        with new_bundle(bundle) as staged:
            try:
                yield staged
            except BaseException as error:
                if (card := _exported(staged)) is None:
                    raise
                for name in {REPORT, CREDITS} - set(card.files):  # half written
                    (staged / name).unlink(missing_ok=True)
                failed = error
        forget_checkpoint(workspace.folder(recipe.name))
    if failed is not None:
        raise failed


def _exported(staged: Path) -> Card | None:
    """The card of what the notebook exported; None if it did not come to the end of that."""
    try:
        return read_bundle(staged, lambda card: card.files)[0]
    except BundleError:
        return None


def _shared_part(source: Path, target: Path) -> Path:
    """Write the cells that every process runs to a notebook of their own."""
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
    # No MathJax: a class may be called "$x$", and the script would be loaded from another site.
    exporter = HTMLExporter(embed_images=True, mathjax_url="data:,")
    html, _ = exporter.from_notebook_node(notebook)
    return str(html)


def _said(error: Exception, workspace: Workspace) -> str | None:
    """The sentence for an error of the notebook; for a bug, the traceback is printed, too."""
    if isinstance(error, DeadKernelError):
        return (
            "The process that trains was ended from outside, most often by the system because "
            "memory ran out. End other programs, or set a smaller image_size in the recipe."
        )
    if not isinstance(error, PapermillExecutionError):
        return sentence(error, [workspace.root])
    last = error.traceback[-1] if error.traceback else ""
    if last.startswith(TOLD):
        return str(last.removeprefix(TOLD))
    trace = "\n".join(error.traceback)
    print(trace if sys.stderr.isatty() else strip_ansi(trace), file=sys.stderr)
    return (
        f"The training notebook stopped at cell [{error.exec_count}] with {error.ename}: "
        f"{error.evalue.rstrip('.')}."
    )


def _keep(executed: Path, failed: Path) -> str:
    """Keep the notebook of a failed training; returns a sentence, empty if it never started."""
    if not executed.is_file():  # papermill writes it after every cell
        return ""
    staged = failed.with_suffix(".part")
    try:
        shutil.copyfile(executed, staged)
        os.replace(staged, failed)
    except OSError:  # for example, a full disk: it can still be renamed in the temporary folder
        with suppress(OSError):
            staged.unlink()
        failed = Path(tempfile.gettempdir()) / f"{failed.parent.name}-{failed.name}"
        os.replace(executed, failed)
    return f"Its notebook, as far as it came, is kept in {failed}."


def _stopped(unfinished: Path, terminal: _Terminal) -> str:
    """The message after Ctrl+C: whether the training can be resumed, and from which epoch."""
    try:
        ours = terminal.goes_on or unfinished.stat().st_mtime >= terminal.began
        done, epochs = _epochs(unfinished) if ours else (0, 0)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        done = 0
    if done:
        return f"stopped. Epoch {done} of {epochs} is kept: the same command goes on after it."
    return "stopped. Nothing of this training is kept, and nothing else was changed."


def _epochs(unfinished: Path) -> tuple[int, int]:
    """(finished, total) epochs of a checkpoint, read without importing torch, which is slow."""
    with zipfile.ZipFile(unfinished) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        numbers: dict[str, int] = {}
        key = ""
        for code, argument, _ in pickletools.genops(archive.read(name)):
            if key and code.name.startswith(("BININT", "LONG")):
                numbers[key], key = int(str(argument)), ""
            elif argument in ("done", "epochs"):
                key = str(argument)
            if len(numbers) == 2:
                break
    return numbers["done"], numbers["epochs"]


class _Terminal:
    """Shows what the notebook's cells print, without papermill's own messages."""

    def __init__(self, shown: bool):
        self._shown = shown
        self.began = time.time()
        self.goes_on = False  # whether the training resumed an earlier one

    def __enter__(self) -> _Terminal:
        self._logger = logging.getLogger("papermill")
        self._handler = logging.StreamHandler(sys.stderr)
        self._handler.setFormatter(logging.Formatter("%(message)s"))
        self._handler.addFilter(self._passes)
        self._before = self._logger.level, self._logger.propagate
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        self._logger.addHandler(self._handler)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self._handler)
        self._logger.level, self._logger.propagate = self._before

    def _passes(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        self.goes_on = self.goes_on or said.startswith(_GOES_ON)
        return self._shown and said.startswith(_PROGRESS)


class _environment:
    """Environment variables for the notebook's kernel: the workspace, the locks it may use,
    whether pictures may go into the bundle, and passive waiting.

    By default, OpenMP's threads spin while they wait. If anything else is busy (a browser, a second
    training), an epoch then takes many times as long.
    """

    def __init__(self, workspace: Workspace, staged: Path | None, photos: bool):
        self._set = {
            "KEZAKO_HOME": str(workspace.root), "OMP_WAIT_POLICY": "PASSIVE",
            **lent(), **(handed_over(staged, photos) if staged else {}),
        }  # fmt: skip

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._set}
        os.environ.update(self._set)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
