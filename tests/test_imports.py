"""Who may import whom: the boundaries between the folders hold, and the page needs no torch."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.import_graph import MODULES, ROOT, circle, imported, walks

# What each folder may import beside itself and SHARED. A folder that is not here may import none.
SHARED = {"", "errors", "settings", "environment", "names", "fonts", "lock", "ports",
          "proxies", "recipe", "translations", "words", "workspace", "pictures", "dataset",
          "model"}  # fmt: skip
MAY_IMPORT: dict[str, set[str]] = {
    "gather": set(),
    "train": set(),
    "export": {"train"},
    "clean": {"train", "export"},
    "importer": {"train", "export"},
    "report": set(),  # starts the training notebook, and imports no torch
    "worker": set(),
    "api": {"worker", "voila_snapshot"},  # what a process writes into the log
    "batch": {"worker"},
    "scale": {"batch", "api", "worker"},
    "serve": {"api", "voila_snapshot"},
    "page": set(),
    "deploy": set(),
    "voila_snapshot": set(),
}
LOW = {"errors", "environment", "names", "lock"}
BELOW: dict[str, set[str]] = {  # the shared ones, lowest first, and what each may import
    "": set(),
    "errors": set(),
    "settings": set(),
    "names": set(),
    "fonts": set(),
    "environment": {"errors", "settings", "names"},
    "ports": {"errors"},
    "lock": {"errors"},
    "proxies": {"errors", "environment"},
    "words": {"errors"},
    "translations": {"names"},
    "pictures": {"errors", "words"},
    "recipe_lines": {"errors"},
    "recipe_checks": {"errors", "names", "recipe_lines", "translations"},
    "recipe": {"names", "recipe_checks", "recipe_lines", "translations"},
    "workspace": {"errors", "environment", "names", "recipe"},
    "dataset": {"", *LOW, "pictures", "recipe", "words", "workspace"},
    "model": {"", *LOW, "pictures", "recipe", "translations", "words", "workspace"},
}
STAGES = {"gather", "train", "export", "clean", "importer", "serve", "scale", "batch", "deploy"}
MAY_IMPORT_ALL = {"cli", "doctor", "__main__"}
HEAVY = ("torch", "torchvision", "fastai")
LIGHT = ("words", "model", "page", "serve", "api", "deploy", "worker", "voila_snapshot", "report",
         "dataset")  # fmt: skip


def part(name: str) -> str:
    """The first level of the package: a folder, or a file beside the folders."""
    package, *rest = name.split(".")
    return package if package == "voila_snapshot" else "".join(rest[:1])


def ours(name: str) -> set[str]:
    """The parts that a module imports, its own left out."""
    others = (
        other
        for other in imported(name, MODULES[name])
        if other.split(".")[0] in ("kezako", "voila_snapshot")
    )
    return {part(other) for other in others} - {part(name)}


def test_the_folders_are_those_of_the_rules() -> None:
    assert {part(name) for name in MODULES} == {*MAY_IMPORT, *BELOW, *MAY_IMPORT_ALL}


@pytest.mark.parametrize("name", MODULES)
def test_nobody_imports_upwards(name: str) -> None:
    own = part(name)
    if own in MAY_IMPORT_ALL:
        return
    allowed = BELOW[own] if own in BELOW else MAY_IMPORT[own] | SHARED
    if own == "voila_snapshot":
        allowed = set()  # could be released alone
    assert ours(name) <= allowed


def test_every_file_of_a_walk_is_there() -> None:
    assert len(walks()) == 3
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for file in re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", text):
        assert any((ROOT / folder / file).is_file() for folder in ("", "kezako")), file


def test_imports_make_no_circle() -> None:
    assert circle() == []


def test_the_packages_themselves_import_nothing() -> None:
    assert not [*imported("kezako", MODULES["kezako"])]
    assert not [*imported("voila_snapshot", MODULES["voila_snapshot"])]


def test_what_serves_or_starts_a_training_imports_no_torch() -> None:
    light = [name for name in MODULES if part(name) in LIGHT]
    code = (
        "import importlib, sys\n"
        f"for name in {['kezako.cli', *light]!r}:\n"
        "    importlib.import_module(name)\n"
        f"    heavy = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "    assert not heavy, (name, heavy)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("name", [name for name in MODULES if part(name) in LIGHT])
def test_what_serves_names_no_torch(name: str) -> None:
    roots = {other.split(".")[0] for other in imported(name, MODULES[name])}
    assert not roots & set(HEAVY)
