"""`kezako new` writes a recipe that can be read, teaches, and replaces nothing."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from kezako.cli import main
from kezako.gather.new import new_recipe, quote, recipe_text, write_recipe
from kezako.recipe import Recipe, parse_recipe
from kezako.workspace import Workspace


def test_the_command_writes_a_recipe(
    an_empty_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "pets", "--classes", "cat, hot dog,éclair"]) == 0
    recipe = an_empty_workspace.recipe("pets")
    assert recipe.classes == {"cat": ("cat",), "hot dog": ("hot dog",), "éclair": ("éclair",)}
    assert "kezako gather pets" in capsys.readouterr().out
    assert [path.name for path in an_empty_workspace.folder("pets").iterdir()] == ["recipe.toml"]


def test_every_setting_is_explained_with_its_default() -> None:
    text = recipe_text("pets", ["cat", "dog"])
    settings = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    settings = re.sub(r"^(task|neither|language) = .*\n", "", settings, flags=re.MULTILINE)
    assert parse_recipe(settings, name="pets") == parse_recipe(text, name="pets")
    for field in fields(Recipe):
        if field.name not in ("name", "path", "classes", "names", "words"):
            assert re.search(rf"^(# )?{field.name} +=.*#", text, flags=re.MULTILINE), field.name


def test_a_recipe_is_never_overwritten(
    an_empty_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = an_empty_workspace.folder("pets") / "recipe.toml"
    write_recipe(path, "what a person wrote")
    assert main(["new", "pets", "--classes", "cat,dog"]) == 2
    assert "there is a recipe already" in capsys.readouterr().err
    assert path.read_text() == "what a person wrote"


@pytest.mark.parametrize(
    ("name", "classes", "said"),
    [
        ("../pets", "cat,dog", "leave out /"),
        ("a/b", "cat,dog", "leave out /"),
        ("", "cat,dog", "must not be empty"),
        ("pets", "cat", "at least two classes"),
        ("pets", "", "must not be empty"),
        ("pets", "cat,,dog", "must not be empty"),
        ("pets", "cat,Cat", "stands twice"),
        ("pets", "cat,../dog", "leave out /"),
        ("pets", "cat,d\x07og", "control characters"),
        ("pets", "cat,d\udcffog", "control characters"),
        ("pets", "cat,sources", "move it above the line [classes]"),
    ],
)
def test_a_bad_name_is_refused_and_nothing_is_written(
    an_empty_workspace: Workspace, capsys: pytest.CaptureFixture[str],
    name: str, classes: str, said: str,
) -> None:  # fmt: skip
    assert main(["new", name, "--classes", classes]) == 2
    captured = capsys.readouterr().err
    assert said in captured
    assert captured.count("\n") == 1
    assert not an_empty_workspace.data.exists()


@pytest.mark.parametrize(
    "text",
    ["plain", 'a"b', "a\\b", "é☃", "tab\t", "\x7f", "\x01\n\r", "{label}", "#", "'", "\u2028"],
)
def test_any_text_survives_quoting(text: str) -> None:
    assert tomllib.loads(f"{quote(text)} = {quote(text)}") == {text: text}


def test_hostile_but_legal_names_are_written_as_text(an_empty_workspace: Workspace) -> None:
    names = ["it's", "$(reboot)", "#comment", "{classes}", "a=b", "[x]", "'''"]
    new_recipe(an_empty_workspace, "a 'b'; {c}", names)
    assert list(an_empty_workspace.recipe("a 'b'; {c}").classes) == names


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("kezako.gather.new.os.replace", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        write_recipe(tmp_path / "recipe.toml", "text")
    assert not (tmp_path / "recipe.toml").exists()
