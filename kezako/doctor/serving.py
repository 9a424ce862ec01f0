"""Check whether the page can be served: libraries, a forked kernel, the classifiers."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kezako.doctor.finding import Finding
from kezako.doctor.packages import install
from kezako.doctor.probe import ProbeFailed, ask
from kezako.errors import KezakoError
from kezako.workspace import Workspace

CELL = "from ipywidgets import Label\nLabel('here')"


def serving(workspace: Workspace) -> Iterator[Finding]:
    """Findings of a subprocess that does what `kezako serve` does first."""
    try:
        found = ask(__name__, str(workspace.root))
    except ProbeFailed as failed:
        yield Finding("!!", "the page", f"its libraries do not load: {failed}", install())
        return
    yield Finding("ok", "the page", f"its libraries load ({found['seconds']:.1f} s)")
    yield from _notebook(workspace)
    if found["why"]:
        yield Finding(
            "--", "forked kernels", f"none here, because {found['why']}",
            "The page works, but each visitor waits and takes memory as under plain Voilà.",
        )  # fmt: skip
    else:
        yield Finding("ok", "forked kernels", f"work ({1000 * found['fork']:.0f} ms each)")
    yield from _classifiers(found["classifiers"])


def _notebook(workspace: Workspace) -> Iterator[Finding]:
    try:
        yield Finding("ok", "its notebook", str(workspace.notebook("app")))
    except KezakoError as error:
        yield Finding("!!", "its notebook", str(error), install())


def _classifiers(found: dict[str, str]) -> Iterator[Finding]:
    if not found:
        yield Finding(
            "--", "classifiers", "none yet",
            "kezako sample smileys && kezako train smileys makes a first one.",
        )  # fmt: skip
    for name, trouble in found.items():
        if trouble:
            yield Finding("--", name, trouble)
        else:
            yield Finding("ok", name, f"opens and answers: kezako serve {name}")


def main() -> None:
    """Run in a subprocess; prints JSON."""
    began = time.monotonic()
    import kezako.serve.app  # noqa: F401 - all that the page needs

    found: dict[str, Any] = {"seconds": time.monotonic() - began, "fork": None, "why": ""}
    try:
        found["fork"] = asyncio.run(_fork())
    except Exception as error:  # whatever the reason, the page works without forked kernels
        found["why"] = str(error) or type(error).__name__
    found["classifiers"] = _tried(Path(sys.argv[1]) / "models")
    print(json.dumps(found))


async def _fork() -> float:
    """Seconds to fork a kernel from a small notebook that has run."""
    from nbformat.v4 import new_code_cell, new_notebook

    from voila_snapshot.logs import Scribe, all_together
    from voila_snapshot.snapshot import Snapshot, SnapshotError

    if sys.platform not in ("linux", "darwin"):
        raise SnapshotError(f"{sys.platform} cannot fork")
    notebook = new_notebook(cells=[new_code_cell(CELL)])
    log, together = logging.getLogger("kezako"), all_together()

    def scribe(who: str) -> Scribe:
        return Scribe(log, who, together)

    snapshot = Snapshot(notebook, sys.executable, Path.cwd(), os.environ, scribe)
    await snapshot.start()
    try:
        began = time.monotonic()
        fork = await snapshot.fork()
        taken = time.monotonic() - began
        fork.kill()
        fork.wait()
        return taken
    finally:
        snapshot.kill()


def _tried(models: Path) -> dict[str, str]:
    """Name -> why it cannot answer; empty if it can."""
    from PIL import Image

    from kezako.model.bundle import list_bundles
    from kezako.model.classifier import Classifier

    found = {}
    for name in list_bundles(models):
        try:
            Classifier.open(models / name).predict(Image.new("RGB", (64, 64), "grey"))
        except Exception as error:  # a model file can be broken in any way
            found[name] = str(error) or type(error).__name__
        else:
            found[name] = ""
    return found
