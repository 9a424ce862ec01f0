"""The files of Kezako, of a classifier and of a workspace that are sent to a host."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from string import Template

from kezako.deploy.hosts import Host
from kezako.errors import KezakoError
from kezako.model.bundle import (
    CARD,
    COVER,
    CREDITS,
    HEAD,
    KNOWN,
    MODEL,
    BundleError,
    Card,
    read_bundle,
    write_card,
)
from kezako.workspace import Workspace

PACKAGE = Path(__file__).parents[1]
FILES = Path(__file__).parent / "files"  # one folder per host; "dot-x" stands for ".x"
README = "README.md"
# Subpackages that make a classifier; the page does not need them.
STAGES = ("batch", "clean", "deploy", "doctor", "export", "gather", "importer", "notebooks",
          "scale", "starter", "train")  # fmt: skip
# Files of a bundle: those that the page reads, and those for people.
SERVED = (MODEL, HEAD, KNOWN, CREDITS, COVER)
SHOWN = (README, "confusion.png")
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|!~&$])")


def copy_package(target: Path) -> None:
    """Copy `kezako/` without the `STAGES`, `voila_snapshot/`, and the licence."""
    shutil.copytree(
        PACKAGE,
        target / PACKAGE.name,
        ignore=lambda folder, names: {
            name
            for name in names
            if name.startswith((".", "__pycache__"))
            or (Path(folder) == PACKAGE and name.split(".")[0] in STAGES)
        },
    )
    snapshots = PACKAGE.with_name("voila_snapshot")
    shutil.copytree(
        snapshots, target / snapshots.name, ignore=shutil.ignore_patterns("__pycache__")
    )
    if licence := _beside("LICENSE"):
        shutil.copyfile(licence, target / PACKAGE.name / licence.name)


def copy_bundle(bundle: Path, target: Path) -> Card:
    """Copy the files of `models/NAME/` that a page needs, checked. Raises `BundleError`."""
    card, files = read_bundle(bundle, _needed)
    if MODEL not in files:
        raise BundleError(f"{bundle / CARD} names no {MODEL}. Train again, or copy it whole.")
    target.mkdir(parents=True)
    for name, content in files.items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_bytes(content)
    return write_card(target, card)


def _needed(card: Card) -> list[str]:
    examples = [example.file for example in card.examples]
    return [name for name in (*SERVED, *SHOWN) if name in card.files] + examples


def copy_page(workspace: Workspace, target: Path) -> None:
    """Copy `notebooks/app.ipynb`: the workspace's, else the package's."""
    (target / "notebooks").mkdir()
    shutil.copyfile(workspace.notebook("app"), target / "notebooks" / "app.ipynb")


def write_pins(host: Host, target: Path) -> None:
    """Write the exact versions that are tested. Kezako itself is copied as a folder."""
    pins = _beside("requirements.txt")
    if pins is None:
        raise KezakoError("requirements.txt is missing from this Kezako; install it again.")
    lines = pins.read_text(encoding="utf-8").splitlines(keepends=True)
    place = target / host.pins
    place.parent.mkdir(parents=True, exist_ok=True)
    kept = "".join(line for line in lines if not line.startswith("-e "))
    place.write_text(kept, encoding="utf-8")


def write_files(
    host: Host,
    name: str,  # the folder in models/, which may differ from the card's name
    card: Card,
    make_git: str,  # commands for the README, one per line, indented
    target: Path,
) -> None:
    """Write the host's own files; the README says what to do next."""
    source = FILES / host.name
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / str(path.relative_to(source)).replace("dot-", ".")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)  # with its mode: Binder runs a script
    readme = target / README
    text = Template(readme.read_text(encoding="utf-8")).substitute(
        name=name,
        title=as_markdown(card.title),
        labels=", ".join(as_markdown(card.name_of(label)) for label in card.labels),
        yaml_title=json.dumps(as_line(card.title), ensure_ascii=False),
        make_git=make_git,
    )
    readme.write_text(text, encoding="utf-8")


def as_line(text: str) -> str:
    """Untrusted text as one line, without non-printable characters."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def as_markdown(text: str) -> str:
    """Untrusted text as one line of Markdown, escaped."""
    return _MARKS.sub(r"\\\1", as_line(text))


def _beside(name: str) -> Path | None:
    """A file that is next to the package in a clone, and in this subpackage in a wheel."""
    clone = PACKAGE.parent
    places = [Path(__file__).parent / name]
    if (clone / "pyproject.toml").is_file():
        places.append(clone / name)
    return next((place for place in places if place.is_file()), None)
