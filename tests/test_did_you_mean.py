"""A mistyped command, option, classifier or word gets the nearest one; help teaches."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kezako.cli import build_parser, main
from kezako.gather.new import new_recipe
from kezako.workspace import Workspace

COMMANDS = ["new", "sample", "gather", "pictures", "credits", "clean", "train", "update", "import",
            "serve", "deploy", "doctor", "predict", "scale"]  # fmt: skip


def said(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert status(*command) == 2
    return capsys.readouterr().err


def status(*command: str) -> object:
    try:
        return main(command)
    except SystemExit as ended:  # of argparse
        return ended.code


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (["trian", "wolves"], "train"),
        (["serv"], "serve"),
        (["deploy", "herokuu", "wolves", "out"], "heroku"),
        (["sample", "smilies"], "smileys"),
        (["clean", "wolves", "--udno"], "--undo"),
        (["serve", "--visitor=3", "--hots", "0.0.0.0"], "--host"),
        (["pictures", "wolves", "--status", "keept"], "kept"),
    ],
)
def test_a_mistyped_word(
    command: list[str],
    meant: str,
    an_empty_workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert f"Did you mean {meant}?" in said(capsys, *command)


@pytest.mark.parametrize("command", ["gather", "train", "clean", "credits", "update"])
def test_a_mistyped_recipe(
    command: str, an_empty_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("wolves", "bears"):
        new_recipe(an_empty_workspace, name, ["a", "b"])
    words = "Did you mean wolves? Here are: bears, wolves."
    assert words in said(capsys, command, "wolvse")
    assert "kezako new zebra --classes" in said(capsys, command, "zebra")


@pytest.mark.parametrize("command", ["serve", "predict"])
def test_a_mistyped_classifier(
    command: str,
    an_empty_workspace: Workspace,
    a_bundle: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    a_bundle(an_empty_workspace.models, "wolves", ("a", "b"))
    more = ["photo.jpg"] * (command == "predict")
    assert "Did you mean wolves? Here are: wolves." in said(capsys, command, "wolvse", *more)


def test_the_help_has_the_steps_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    steps = re.findall(r"^  kezako (\w+)", capsys.readouterr().out, re.M)
    assert steps == ["new", "gather", "clean", "train", "serve", "deploy"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_examples_that_parse_and_pages_that_are_there(
    command: str, the_repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out
    examples = re.findall(rf"^  kezako ({command}.*)$", text, re.M)
    assert examples
    for example in examples:
        build_parser().parse_args(example.split(" > ")[0].split())
    for page in re.findall(r"docs/[\w-]+\.md", text):
        assert (the_repository / page).is_file()
