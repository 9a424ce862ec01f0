"""A block that no test runs says why, and what it names exists all the same."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from kezako.cli import build_parser
from tests.conftest import ROOT
from tests.docs.markdown import Block, blocks
from tests.docs.shell import commands

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LEFT_OUT = [(page, block) for page in PAGES for block in blocks(page) if block.not_run is not None]


def named(found: tuple[Path, Block]) -> str:
    return f"{found[0].name}:{found[1].line}"


def lines(word: str) -> list[str]:
    """The commands that begin with `word` in blocks that are not run."""
    return [
        command
        for _, block in LEFT_OUT
        if block.kind == "sh"
        for command in commands(block.text)
        if command.split()[0] == word
    ]


@pytest.mark.parametrize("found", LEFT_OUT, ids=named)
def test_a_reason_is_given(found: tuple[Path, Block]) -> None:
    assert len(str(found[1].not_run).split()) >= 3


@pytest.mark.parametrize("command", sorted({*lines("make")}))
def test_a_target_of_make_exists(command: str) -> None:
    target = shlex.split(command, comments=True)[1]
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", sorted({*lines("kezako")}))
def test_a_command_is_understood(command: str) -> None:
    build_parser().parse_args(shlex.split(command, comments=True)[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_stands_in_an_indented_block(page: Path) -> None:
    """There it would be overlooked."""
    text = re.sub(r"^(`{3,}).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert not re.findall(r"^ {4}(?:kezako|make|pip|python|voila|jupyter) .*$", text, re.M)
