"""Where only what the page needs is installed, everything else says which command brings it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kezako import gather
from kezako.cli import main
from kezako.cli.common import PACKAGES
from kezako.workspace import Workspace

WITHOUT = (
    "import sys; sys.modules[{module!r}] = None; from kezako.cli import main; sys.exit(main())"
)
TRAIN, SCALE = 'pip install -e ".[train]"', 'pip install -e ".[scale]"'
# Distributions whose name is not what is imported.
IMPORTED = {
    "pillow": "PIL", "pillow-heif": "pillow_heif", "scikit-learn": "sklearn",
}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "module", "command"),
    [
        (["sample", "smileys"], "tqdm", "pip install -e ."),
        (["sample", "smileys"], "filelock", "pip install -e ."),
        (["gather", "pets"], "httpx", TRAIN),
        (["train", "pets"], "papermill", TRAIN),
        (["train", "pets"], "torch", TRAIN),
        (["train", "pets"], "fastai", TRAIN),
        (["clean", "pets"], "sklearn", TRAIN),
        (["scale", "batch", "pets", "photos", "answers"], "ray", SCALE),
        (["scale", "serve", "pets"], "ray", SCALE),
    ],
)
def test_the_command_is_named(
    arguments: list[str], module: str, command: str, the_repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "data" / "pets").mkdir(parents=True)
    (tmp_path / "data" / "pets" / "recipe.toml").write_text("[classes]\ncat = []\ndog = []\n")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(module=module), *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(the_repository), "KEZAKO_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert f"({module} is missing)" in done.stderr
    assert done.stderr.endswith(f"Install it with: {command}\n")
    assert "Traceback" not in done.stderr


def test_what_is_no_package_of_ours_keeps_its_traceback(
    an_empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that is misspelt, or of a source of the maker's own: installing mends nothing."""
    recipe = an_empty_workspace.folder("pets") / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text("[classes]\ncat = []\ndog = []\n")

    def broken(name: str | None) -> None:
        def gather_nothing(*_: object) -> None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        monkeypatch.setattr(gather, "gather", gather_nothing, raising=False)
        with pytest.raises(ModuleNotFoundError):
            main(["gather", "pets"])

    broken("of_mine")
    broken("torch")  # it is there: one of its parts is not
    broken("kezako.gather.lost")
    broken(None)


def test_a_copy_that_only_serves_says_so(
    an_empty_workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What `kezako deploy` writes holds no stages, and no list of what to install either."""
    for stage in ("gather", "doctor"):
        monkeypatch.setitem(sys.modules, f"kezako.{stage}", None)
    recipe = an_empty_workspace.folder("pets") / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text("[classes]\ncat = []\ndog = []\n")
    assert main(["gather", "pets"]) == 2
    assert "this copy of Kezako serves a page and does nothing else" in capsys.readouterr().err


def test_the_packages_are_those_of_pyproject(the_repository: Path) -> None:
    project = tomllib.loads((the_repository / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {"": project["dependencies"], **project["optional-dependencies"]}
    for extra, names in PACKAGES.items():
        for requirement in asked[extra]:
            name = re.split(r"[\[<>=;\s]", requirement)[0]
            if name == "jsonschema":  # others import it; only its version is ours
                continue
            assert IMPORTED.get(name, name) in names, f"{name} of {extra or 'the page'}"


OURS = {"kezako", "voila_snapshot"}


def test_every_package_that_is_imported_is_known(the_repository: Path) -> None:
    known = set().union(*PACKAGES.values(), sys.stdlib_module_names, OURS)
    imported = set()
    for path in (path for name in OURS for path in (the_repository / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0])
    assert imported <= known
