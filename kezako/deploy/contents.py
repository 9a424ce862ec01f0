"""What of Kezako, of a classifier and of a workspace travels to a host."""

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
FILES = Path(__file__).parent / "files"  # one folder a host; "dot-x" stands for ".x"
README = "README.md"
# Of the package: what makes a classifier rather than serves it.
STAGES = ("batch", "clean", "deploy", "doctor", "export", "gather", "importer", "notebooks",
          "scale", "starter", "train")  # fmt: skip
# Of a bundle: what the page reads, then what people read.
SERVED = (MODEL, HEAD, KNOWN, CREDITS)
SHOWN = (README, "confusion.png")
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|!~&$])")


def copy_package(target: Path) -> None:
    """`kezako/` without the stages that only its maker needs, `voila_snapshot/`, the licence."""
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
    """Of `models/NAME/` what a page needs, each file as its card says. Raises `BundleError`."""
    needed = (*SERVED, *SHOWN)
    card, files = read_bundle(bundle, lambda card: [n for n in needed if n in card.files])
    if MODEL not in files:
        raise BundleError(f"{bundle / CARD} names no {MODEL}. Train again, or copy it whole.")
    target.mkdir(parents=True)
    for name, content in files.items():
        (target / name).write_bytes(content)
    return write_card(target, card)


def copy_page(workspace: Workspace, target: Path) -> None:
    """`notebooks/app.ipynb`: the maker's own where there is one."""
    (target / "notebooks").mkdir()
    shutil.copyfile(workspace.notebook("app"), target / "notebooks" / "app.ipynb")


def write_pins(host: Host, target: Path) -> None:
    """The exact versions that are tested; Kezako itself travels as a folder."""
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
    name: str,  # the folder under models/, whatever its card calls it
    card: Card,
    make_git: str,  # commands of the README, each in a line of an indented block
    target: Path,
) -> None:
    """The host's own files; its README tells what to do next."""
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
        labels=", ".join(as_markdown(label) for label in card.labels),
        yaml_title=json.dumps(as_line(card.title), ensure_ascii=False),
        make_git=make_git,
    )
    readme.write_text(text, encoding="utf-8")


def as_line(text: str) -> str:
    """Text that may come from a stranger's file, as one line without signs that do not show."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def as_markdown(text: str) -> str:
    """The same for Markdown, where it is text and nothing else."""
    return _MARKS.sub(r"\\\1", as_line(text))


def _beside(name: str) -> Path | None:
    """A file that stands beside the package in a clone, and in this stage in a wheel."""
    clone = PACKAGE.parent
    places = [Path(__file__).parent / name]
    if (clone / "pyproject.toml").is_file():
        places.append(clone / name)
    return next((place for place in places if place.is_file()), None)
