"""The peers' servers, each a subprocess with everything that it starts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import psutil

from benchmarks.ports import unused_port
from benchmarks.serving.tree import family

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "models" / "bears"
GRADIO = ROOT / "build" / "gradio"
GRADIO_NEEDS = ("gradio==6.31.0", "onnxruntime==1.31.1", "pillow==12.3.0", "pillow-heif==1.8.1")
DEADLINE = 180  # seconds that a server may take to start on a busy machine

# The cells of the course's notebook. `value` is a tuple of mappings since ipywidgets 8, before it
# was `data`.
STOCK = (
    "from fastai.vision.all import *\nfrom fastai.vision.widgets import *",
    "learn_inf = load_learner({export!r}, cpu=True)",
    "btn_upload = widgets.FileUpload(accept='image/*')\n"
    "out_pl = widgets.Output()\n"
    "lbl_pred = widgets.Label()\n"
    "btn_run = widgets.Button(description='Classify')",
    "def on_click_classify(change):\n"
    "    img = PILImage.create(bytes(btn_upload.value[-1].content))\n"
    "    out_pl.clear_output()\n"
    "    with out_pl: display(img.to_thumb(128, 128))\n"
    "    pred, pred_idx, probs = learn_inf.predict(img)\n"
    "    lbl_pred.value = f'Prediction: {{pred}}; Probability: {{probs[pred_idx]:.04f}}'\n\n"
    "btn_run.on_click(on_click_classify)",
    "VBox([widgets.Label('Select your bear!'), btn_upload, btn_run, out_pl, lbl_pred])",
)
# fastai cannot be imported if torchvision's compiled operators do not match the installed torch.
CURE = "from kezako.train import torchvision_ops\ntorchvision_ops.ensure()"


class Missing(Exception):
    """A peer cannot run on this machine; the message says what to install."""


@dataclass(frozen=True)
class Server:
    """A running peer."""

    name: str
    address: str  # with a slash at the end
    process: psutil.Popen
    log: Path

    def said(self, characters: int = 2000) -> str:
        return self.log.read_text(errors="replace")[-characters:]


Prefix = Sequence[str]  # a prefix of commands, for example to limit memory


@contextmanager
def stock(prefix: Prefix = (), preheat: bool = False) -> Iterator[Server]:
    """The course's notebook in plain Voilà. Raises `Missing` without fastai."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "bear_classifier.ipynb"
        _write_notebook(notebook)
        arguments = [str(notebook), "--no-browser", "--port={port}", "--Voila.port_retries=0"]
        if preheat:
            arguments.append("--preheat_kernel=True")
        command = [sys.executable, "-m", "voila", *arguments]
        name = "stock, preheated" if preheat else "stock"
        with _running(name, [*prefix, *command], Path(folder)) as server:
            yield server


@contextmanager
def preheated(prefix: Prefix = ()) -> Iterator[Server]:
    """`stock` with a preheated kernel."""
    with stock(prefix, preheat=True) as server:
        yield server


@contextmanager
def gradio(prefix: Prefix = ()) -> Iterator[Server]:
    """Gradio with the page's model and preprocessing."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(_gradio_python()), "-m", "benchmarks.serving.gradio_page", str(BUNDLE)]
        settings = {
            "GRADIO_ANALYTICS_ENABLED": "False",
            "GRADIO_SERVER_PORT": "{port}",
            "GRADIO_TEMP_DIR": folder,
            "HF_HUB_OFFLINE": "1",
        }
        with _running("gradio", [*prefix, *command], Path(folder), settings) as server:
            yield server


@contextmanager
def kezako(
    prefix: Prefix = (),
    home: Path = ROOT,  # its workspace
    name: str = BUNDLE.name,  # of the classifier
    **settings: str,  # environment variables
) -> Iterator[Server]:
    """`kezako serve NAME`, with as many places as fit."""
    command = [sys.executable, "-m", "kezako", "serve", name, "--no-browser", "--port", "{port}"]
    with tempfile.TemporaryDirectory() as folder:
        settings = {"KEZAKO_HOME": str(home), **settings}
        with _running("kezako", [*prefix, *command], Path(folder), settings) as server:
            yield server


PEERS: dict[str, Callable[..., object]] = {
    "stock": stock,
    "preheated": preheated,
    "gradio": gradio,
    "kezako": kezako,
}


def _write_notebook(path: Path) -> None:
    cells = list(STOCK)
    if not _imports("fastai.vision.all"):
        if not _imports("fastai.vision.all", CURE):
            raise Missing('The stock page needs fastai: pip install -e ".[train]"')
        cells.insert(0, CURE)
    sources = [cell.format(export=str(BUNDLE / "export.pkl")) for cell in cells]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": [
            {"cell_type": "code", "execution_count": None, "id": f"cell-{number}",
             "metadata": {}, "outputs": [], "source": source}
            for number, source in enumerate(sources)
        ],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    path.write_text(json.dumps(notebook), encoding="utf-8")


_found: dict[tuple[str, str], bool] = {}


def _imports(module: str, first: str = "") -> bool:
    """Whether `module` can be imported here; tried in a subprocess, and cached."""
    if (module, first) not in _found:
        code = f"{first}\nimport {module}"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True)
        _found[module, first] = done.returncode == 0
    return _found[module, first]


def _gradio_python() -> Path:
    python = GRADIO / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = GRADIO / "made"
    needs = "\n".join(GRADIO_NEEDS)
    if stamp.is_file() and stamp.read_text() == needs:
        return python
    print(f"Installing {GRADIO_NEEDS[0]} in {GRADIO} (a minute).", file=sys.stderr)
    shutil.rmtree(GRADIO, ignore_errors=True)
    venv.create(GRADIO, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if subprocess.run([*pip, *GRADIO_NEEDS]).returncode:
        raise Missing("Gradio could not be installed; the lines above say why.")
    stamp.write_text(needs)
    return python


@contextmanager
def _running(
    name: str,
    command: Sequence[str],  # {port} is replaced by the port
    folder: Path,  # its working directory, where its log is written, too
    settings: dict[str, str] | None = None,  # environment variables; {port} is replaced, too
) -> Iterator[Server]:
    port = unused_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
        **{key: value.format(port=port) for key, value in (settings or {}).items()},
    }
    log = folder / "server.log"
    with log.open("wb") as output:
        process = psutil.Popen(
            [part.replace("{port}", str(port)) for part in command],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    server = Server(name, f"http://127.0.0.1:{port}/", process, log)
    try:
        _wait(server)
        yield server
    finally:
        _stop(process)


def _wait(server: Server) -> None:
    """Wait until it answers; a waiting page does not count."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and server.process.poll() is None:
        try:
            # Plain Voilà starts a kernel for each request of its page, but not for static files.
            path = "voila/static/voila.js" if server.name.startswith("stock") else ""
            if server.name == "kezako":
                path = "healthz"
            urllib.request.urlopen(server.address + path, timeout=5).close()
            return
        except (OSError, HTTPException):
            time.sleep(0.1)
    raise Missing(f"{server.name} did not start:\n{server.said()}")


def _stop(process: psutil.Popen) -> None:
    """Stop it and all its descendants, also those that have left its process group."""
    descendants = family(process)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        psutil.wait_procs([process], timeout=20)
    for one in descendants:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(descendants, timeout=20)
