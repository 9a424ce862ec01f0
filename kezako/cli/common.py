"""Shared by the commands: argument parser, missing packages, number types."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from kezako.errors import KezakoError
from kezako.names import nearest
from kezako.workspace import Workspace

if TYPE_CHECKING:
    from kezako.dataset.manifest import Manifest

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


# Importable names of the packages in pyproject.toml and their dependencies, by extra.
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

CLASSIFIER = "the classifier's name: a folder in data/ or models/"


class Parser(argparse.ArgumentParser):
    """Suggests what may have been meant by a mistyped command, option or word."""

    def error(self, message: str) -> NoReturn:
        if found := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message):
            words = re.findall(r"[\w-]+", found[2])
            message = f"{self._what(message)}{found[1]!r} is none of: {', '.join(words)}."
            message += nearest(found[1], words)
        elif message.startswith("unrecognized arguments: "):
            given = next((word for word in message.split() if word.startswith("-")), "")
            option = given.partition("=")[0]
            message += nearest(option, self._options()) if option else ""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}\n")

    def _what(self, message: str) -> str:
        named = re.match(r"argument ([^:]+): ", message)
        return f"{named[1]}: " if named else ""

    def _options(self) -> Iterator[str]:
        for action in self._actions:
            yield from action.option_strings
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    yield from parser._options()


def add_command(
    commands: Commands,
    name: str,
    does: str,  # a few words, for the list of commands
    explains: str,  # what to know before you use it
    example: str,  # one command per line
    more: str = "",  # the page of docs/ to read
) -> argparse.ArgumentParser:
    """Add a subcommand with an explanation and examples in its help."""
    examples = "\n".join(f"  {line.strip()}" for line in example.strip().splitlines())
    return commands.add_parser(
        name,
        help=does,
        description=explains,
        epilog=f"example:\n{examples}" + (f"\n\nmore: docs/{more}" if more else ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def missing(error: BaseException, command: str) -> str | None:
    """The message for a package of ours that is not installed; None for any other error."""
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
        return None  # installing something would not help
    from kezako.doctor.packages import install

    why = "needs more than the page does" if extra else "cannot run"
    return f"kezako {command} {why} ({package} is missing). Install it with: {install(extra)}"


def check_installed(*packages: str) -> None:
    """Raise `ModuleNotFoundError` for the first missing package, without slow imports."""
    for package in packages:
        if find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)


def manifest_of(name: str, workspace: Workspace) -> Manifest:
    """The manifest of a recipe, read-only. Raises `KezakoError` if nothing was gathered."""
    from kezako.dataset.manifest import FILE, Manifest

    folder = workspace.folder(name)
    if not (folder / FILE).is_file():
        raise KezakoError(f"{name} has no pictures yet. Gather some with: kezako gather {name}")
    return Manifest(folder, read_only=True)


def port(text: str) -> int:
    """An argparse type, like the two below."""
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
