"""What the commands share: a refusal, what is missing, numbers as people type them."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias

from kezako.errors import KezakoError
from kezako.workspace import Workspace

if TYPE_CHECKING:
    from kezako.dataset.manifest import Manifest

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


# What is imported of the packages that pyproject.toml names, and of what these bring along.
PACKAGES = {
    "": {
        "IPython", "PIL", "comm", "filelock", "ipykernel", "ipywidgets", "jupyter_client",
        "jupyter_core",
        "jupyter_events", "jupyter_server", "nbclient", "nbconvert", "nbformat", "numpy",
        "onnxruntime", "packaging", "pillow_heif", "prometheus_client", "psutil", "tornado",
        "tqdm", "traitlets", "voila", "zmq",
    },
    "train": {
        "anyio", "ddgs", "duckduckgo_search", "fastai", "fastcore", "httpcore",
        "httpx", "matplotlib", "onnx", "onnxscript", "pandas", "papermill", "safetensors", "scipy",
        "sklearn", "sniffio", "torch", "torchvision",
    },
    "scale": {"accelerate", "pyarrow", "ray", "starlette"},
}  # fmt: skip


def missing(error: BaseException, command: str) -> str | None:
    """The sentence where a package of ours is not installed; None for any other error."""
    if not isinstance(error, ImportError) or not error.name:
        return None
    package = error.name.split(".")[0]
    if package == "kezako" and find_spec(".".join(error.name.split(".")[:2])) is None:
        return (
            f"kezako {command} is not here: this copy of Kezako serves a page and does nothing "
            "else. Run it where the page was deployed from."
        )
    extra = next((extra for extra, names in PACKAGES.items() if package in names), None)
    if extra is None or find_spec(package) is not None:
        return None  # nothing that installing would mend
    from kezako.doctor.packages import install

    why = "needs more than the page does" if extra else "cannot run"
    return f"kezako {command} {why} ({package} is missing). Install it with: {install(extra)}"


def check_installed(*packages: str) -> None:
    """Raise `ModuleNotFoundError` for the first that is missing; importing torch takes seconds."""
    for package in packages:
        if find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)


def manifest_of(name: str, workspace: Workspace) -> Manifest:
    """The manifest of a recipe, to be read. Raises `KezakoError` where nothing was gathered."""
    from kezako.dataset.manifest import FILE, Manifest

    folder = workspace.folder(name)
    if not (folder / FILE).is_file():
        raise KezakoError(f"{name} has no pictures yet. Gather some with: kezako gather {name}")
    return Manifest(folder, read_only=True)


def port(text: str) -> int:
    """A type of argparse's, as the two below."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 1 to 65535")
    return int(text)


def pixels(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of pixels; give one such as 224")
    return int(text)


def count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no such number; give 1 or more")
    return int(text)
