"""Every command of the README and of the how-tos does what the page says, in a fresh copy.

The README comes first, and the how-tos are read by somebody who has followed it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.markdown import blocks

pytestmark = pytest.mark.hosts

DOCS = ROOT / "docs"
ELSEWHERE = {"api.md"}  # tests/api/test_docs.py runs each of its examples and reads the answers
HOW_TOS = sorted(
    page.name
    for page in DOCS.glob("*.md")
    if page.name not in ELSEWHERE and any(block.kind in ("sh", "python") for block in blocks(page))
)


@pytest.fixture(scope="module")
def after_the_readme(
    a_fresh_copy: Path, reading: Callable[[Path, Path], list[str]]
) -> tuple[Path, list[str]]:
    """The copy of somebody who has followed the README, and what was typed."""
    return a_fresh_copy, reading(a_fresh_copy, a_fresh_copy / "README.md")


@pytest.mark.slow
def test_the_readme(after_the_readme: tuple[Path, list[str]]) -> None:
    copy, typed = after_the_readme
    for command in (
        "new",
        "gather",
        "train",
        "serve",
        "sample",
        "clean",
        "doctor",
        "deploy",
        "import",
    ):
        assert any(line.startswith(f"kezako {command}") for line in typed), command
    assert (copy / "models" / "wolves" / "model.onnx").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", HOW_TOS)
def test_a_how_to(
    name: str,
    after_the_readme: tuple[Path, list[str]],
    reading: Callable[[Path, Path], list[str]],
    tmp_path: Path,
) -> None:
    copy = tmp_path / "kezako"
    shutil.copytree(after_the_readme[0], copy, symlinks=True)
    reading(copy, copy / "docs" / name)
