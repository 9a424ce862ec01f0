"""The page shows who made the pictures it learnt from, as text, where the bundle says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kezako import page
from kezako.cli import main
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.model.bundle import CREDITS, amend


@pytest.fixture
def colours(a_bundle: Callable[..., Path], tmp_path: Path) -> Path:
    return a_bundle(tmp_path / "models", "colours", ("red", "green", "blue"))


def test_a_bundle_without_credits_shows_none(colours: Path) -> None:
    assert page.Credits(page.Choice(colours.parent, query="")).value == ""


def test_credits_are_shown_as_text(colours: Path) -> None:
    amend(colours, {CREDITS: b"Ann <script>alert(1)</script>, CC BY"})
    shown = page.Credits(page.Choice(colours.parent, query="")).value
    assert "Ann &lt;script&gt;" in shown
    assert "<script>" not in shown


def test_the_command_writes_them_into_the_bundle(
    colours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEZAKO_HOME", str(tmp_path))
    folder = tmp_path / "data" / "colours"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text("[classes]\nred = []\ngreen = []\nblue = []\n")
    with Manifest(folder) as manifest:
        row = Row("red", url="https://a.test/1.jpg", sha256="ab" * 32, licence="CC BY 2.0")
        row.creator = "Ann"
        manifest.store(row, b"x")
    assert main(["credits", "colours"]) == 0
    assert "Ann" in page.Credits(page.Choice(colours.parent, query="")).value
