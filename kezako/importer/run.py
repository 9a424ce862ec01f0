"""`kezako import FILE`: from anyone's export to `models/NAME/`."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kezako import __version__
from kezako.importer.allowlist import Refused
from kezako.importer.card import write_readme
from kezako.importer.convert import Order
from kezako.importer.kinds import check_file
from kezako.importer.sandbox import convert_apart
from kezako.lock import locked
from kezako.model.bundle import (
    HEAD,
    MODEL,
    Card,
    Preprocessing,
    list_bundles,
    new_bundle,
    write_card,
)
from kezako.recipe import Recipe
from kezako.workspace import Workspace

_UNTELLING = {"export", "model", "learn", "learner", "trained"}  # file names that say nothing


@dataclass(frozen=True)
class Request:
    """The options of `kezako import`."""

    file: Path
    name: str | None = None  # the folder in models/; default: from the file's name or its classes
    pictures: Path | None = None  # to measure it on, with a sub-folder per class
    labels: tuple[str, ...] = ()
    size: int | None = None
    resize: str | None = None
    skip: tuple[str, ...] = ()
    replace: bool = False  # whether a bundle of that name may be replaced


def import_export(
    request: Request, workspace: Workspace, say: Callable[[str], None] = print
) -> Card:
    """Write the bundle of an export atomically and return its card. The file is not trusted.

    Raises `Refused` with a sentence that names what is not accepted, and `KezakoError` while
    another process writes that classifier.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        if request.name:
            held.enter_context(_claimed(request.name, request, workspace))
        origin = _origin(request.file)
        say(f"Reading {request.file.name} in a subprocess; no code in it runs.")
        order = Order(
            path=str(request.file.resolve()), folder=folder, labels=request.labels,
            size=request.size, resize=request.resize, skip=request.skip,
        )  # fmt: skip
        found = convert_apart(order)
        for note in found["notes"]:
            say(note)
        name = request.name or _name(request.file, found["labels"])
        if not request.name:
            held.enter_context(_claimed(name, request, workspace))
        card = _card(name, found, origin)
        with new_bundle(workspace.bundle(name)) as staged:
            _take(Path(folder), staged)
            if request.pictures:
                card = _judged(card, staged, request.pictures, order, workspace, say)
            write_readme(card, staged)
            return write_card(staged, card)


def _judged(
    card: Card,
    staged: Path,
    pictures: Path,
    order: Order,
    workspace: Workspace,
    say: Callable[[str], None],
) -> Card:
    from kezako.importer.evaluation import evaluate, find_labelled

    labelled = find_labelled(pictures, card.labels, card.task)
    if labelled.unreadable:
        say(f"{labelled.unreadable} files are no pictures that can be opened, and are left out.")
    say(f"Measuring it on {len(labelled.paths)} pictures.")

    def rewrite(temperature: float) -> None:
        convert_apart(replace(order, temperature=temperature))
        _take(Path(order.folder), staged)

    return evaluate(card, staged, labelled, workspace.folder(card.name) / "other", rewrite)


def _take(folder: Path, staged: Path) -> None:
    for name in (MODEL, HEAD):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, staged / name)


@contextmanager
def _claimed(name: str, request: Request, workspace: Workspace) -> Iterator[None]:
    """Lock that classifier for the block. Raises `KezakoError`."""
    folder = workspace.bundle(name)
    with locked(folder):
        is_there = folder.exists() or name in list_bundles(workspace.models)
        if is_there and not request.replace:
            raise Refused(
                f"There is a classifier {name} already, in {folder}. Give another name with "
                "--name, or replace it with --replace."
            )
        yield


def _origin(file: Path) -> dict[str, Any]:
    size = check_file(file)
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256")
    except OSError as error:
        raise Refused(f"{file} cannot be read ({error.strerror}).") from error
    return {"file": file.name, "sha256": digest.hexdigest(), "bytes": size}


def _name(file: Path, labels: list[str]) -> str:
    """The file's name if it says something, else the first classes: "cat-dog"."""
    for text in (file.stem, "-".join(labels[:3])):
        name = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:50]
        if name and name not in _UNTELLING:
            return name
    return "imported"


def _card(name: str, found: dict[str, Any], origin: dict[str, Any]) -> Card:
    seen = found["preprocessing"]
    libraries = ("fastai", "torch", "torchvision", "onnxruntime", "pillow", "numpy")
    return Card(
        name=name, title=Recipe.title, prompt=Recipe.prompt, answer=Recipe.answer,
        labels=tuple(found["labels"]), task=found["task"],
        preprocessing=Preprocessing(
            seen["size"], seen["resize"], seen["mode"], tuple(seen["mean"]), tuple(seen["std"]),
            tuple((way, size) for way, size in seen["before"]),
        ),
        precision="fp32", temperature=1.0, thresholds=found["thresholds"], known=None,
        training={
            "imported": {
                **origin,
                "architecture": found["architecture"],
                "left_out": found["left_out"],
                "doubts": found["doubts"],
                "difference": found["difference"],
            },
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        libraries={
            "kezako": __version__,
            "python": platform.python_version(),
            **{library: importlib.metadata.version(library) for library in libraries},
        },
    )  # fmt: skip
