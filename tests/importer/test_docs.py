"""The commands of docs/import.md are commands of the command line."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from kezako.cli import build_parser
from kezako.recipe import check_folder_name

DOCS = Path(__file__).parents[2] / "docs" / "import.md"
COMMANDS = [
    line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("kezako ")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_is_understood(command: str) -> None:
    arguments = build_parser().parse_args(shlex.split(command)[1:])
    assert check_folder_name(arguments.name)


def test_the_page_shows_every_option() -> None:
    text = " ".join(COMMANDS)
    assert len(COMMANDS) >= 6
    for option in ("--name", "--pictures", "--labels", "--size", "--resize", "--skip", "--replace"):
        assert option in text
