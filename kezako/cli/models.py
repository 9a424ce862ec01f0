"""Commands that make a classifier: train one, or import an export."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from kezako.cli.common import (
    CLASSIFIER,
    Commands,
    add_command,
    check_installed,
    manifest_of,
    pixels,
)
from kezako.workspace import Workspace

if TYPE_CHECKING:
    from kezako.model.bundle import Card


def add(commands: Commands) -> None:
    """Add them to the parser."""
    _add_train(commands)
    _add_update(commands)
    _add_import(commands)


def _add_train(commands: Commands) -> None:
    parser = add_command(
        commands, "train", "fine-tune a model and write its bundle",
        "Executes notebooks/train.ipynb, and writes models/NAME with export.pkl, the files of the\n"
        "page, a model card and the executed notebook as report.html. Stopped, it continues after\n"
        "the last epoch.",
        "kezako train wolves", "train.md, docs/model-card.md",
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", help=CLASSIFIER)
    parser.add_argument(
        "--without-photos",
        action="store_true",
        help="leave the pictures out of report.html and of the page's examples",
    )
    parser.set_defaults(run=_train)


def _train(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.dataset.readiness import check_ready
    from kezako.gather.credits import write_beside

    recipe = workspace.recipe(arguments.name)
    # First: otherwise other problems would be reported first.
    check_installed("torch", "fastai", "papermill")
    if os.environ.get("RANK", "0") == "0":  # other ranks of torchrun: rank 0 does this
        check_ready(recipe, workspace, adopted=False)
    from kezako.report import train  # after that, since it takes a second

    def credits() -> Path | None:
        with manifest_of(recipe.name, workspace) as manifest:
            licences = any(row.licence for row in manifest.kept())
            return write_beside(recipe, manifest, workspace) if licences else None

    card = train(recipe, workspace, not arguments.without_photos, credits)
    if card is None:
        return  # of several processes that train together, the first one tells
    print(f"{card.title} Error on validation pictures: {_errors(card)}")
    print(f"Bundle: {workspace.bundle(recipe.name)}")
    if card.examples:
        print(
            f"The page shows {len(card.examples)} of the pictures as examples to try; "
            "--without-photos leaves them out."
        )
    print(f"Next: kezako serve {recipe.name}")


def _add_update(commands: Commands) -> None:
    parser = add_command(
        commands, "update", "give a trained classifier the recipe's words",
        "Takes title, prompt, answer, language and the names of the classes from the recipe, and\n"
        "draws the cover anew, without training again.",
        "kezako update wolves", "words.md",
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", help=CLASSIFIER)
    parser.set_defaults(run=_update)


def _update(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.export.update import update

    recipe = workspace.recipe(arguments.name)
    card = update(recipe, workspace, _readme)
    print(f"{card.title} It tells apart: {', '.join(map(card.name_of, card.labels))}.")
    print(f"Bundle: {workspace.bundle(recipe.name)}")


def _readme(card: Card) -> str | None:
    """The text of a bundle's README.md; None for figures as Kezako 0.1 measured them."""
    from kezako.export.card import model_card
    from kezako.importer.card import readme

    figures = card.figures.get("validation")
    if figures and "classes" not in figures:
        return None
    if "imported" in card.training:
        return readme(card)
    return model_card(card) if figures else None


def _errors(card: Card) -> str:
    from kezako.model.wording import errors  # lazy: `kezako doctor` runs without numpy

    labels = len(card.labels) if card.task == "multi" else 0
    return errors(card.figures["validation"], labels)


def _add_import(commands: Commands) -> None:
    parser = add_command(
        commands,
        "import",
        "make a bundle of somebody's export.pkl, safely",
        "Converts what fastai's learn.export() wrote without unpickling it, so no code in the\n"
        "file runs.",
        "kezako import export.pkl --name birds\n"
        "kezako import export.pkl --name birds --pictures FOLDER",
        "import.md",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="what learn.export() wrote")
    parser.add_argument("--name", help="the classifier's name: a folder in models/")
    parser.add_argument(
        "--pictures",
        metavar="FOLDER",
        type=Path,
        help="measure it on these pictures, one folder per class",
    )
    parser.add_argument("--labels", metavar="A,B,C", default="", help="other names for its classes")
    parser.add_argument("--size", type=pixels, metavar="PIXELS", help="if the file does not say")
    parser.add_argument("--resize", metavar="HOW", help="squish, crop, pad, random-crop; likewise")
    parser.add_argument(
        "--skip", action="append", default=[], metavar="STEP", help="leave out a step, by its name"
    )
    parser.add_argument("--replace", action="store_true", help="replace a classifier of that name")
    parser.set_defaults(run=_import)


def _import(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.importer.run import Request, import_export

    request = Request(
        arguments.file, arguments.name, arguments.pictures,
        tuple(label.strip() for label in arguments.labels.split(",") if label.strip()),
        arguments.size, arguments.resize, tuple(arguments.skip), arguments.replace,
    )  # fmt: skip
    card = import_export(request, workspace)
    print(f"It tells apart: {', '.join(card.labels)}.")
    if card.figures:
        print(f"Error on your pictures: {_errors(card)}")
    else:
        print("How good it is, the file does not say; --pictures FOLDER measures it.")
    print(f"Bundle: {workspace.bundle(card.name)}")
    print(f"Next: kezako serve {card.name}")
