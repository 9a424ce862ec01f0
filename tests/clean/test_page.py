"""Which recipe the cleaner's page opens, and what it says where there is nothing to show."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.clean.cleaner import Cleaner
from kezako.clean.page import CleanPage
from kezako.workspace import Workspace
from tests.clean.pictures import fill


@pytest.fixture(autouse=True)
def no_preference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEZAKO_MODEL", raising=False)
    monkeypatch.delenv("QUERY_STRING", raising=False)


def heading(desk: CleanPage) -> str:
    cleaners = [child for child in desk.children if isinstance(child, Cleaner)]
    return "".join(str(cleaner.children[2].value) for cleaner in cleaners)


def said(desk: CleanPage) -> str:
    return str(desk.children[1].value)


def test_the_address_picks_the_recipe(an_empty_workspace: Workspace) -> None:
    for name in ("first", "second"):
        fill(an_empty_workspace, name, each=1, title=f"The {name}?")
    assert "The first?" in heading(CleanPage(an_empty_workspace, ""))
    assert "The second?" in heading(CleanPage(an_empty_workspace, "name=second"))
    assert "The first?" in heading(CleanPage(an_empty_workspace, "name=../second"))


def test_hostile_words_are_text(an_empty_workspace: Workspace) -> None:
    fill(an_empty_workspace, each=1, title="<script>alert(1)</script>")
    assert "&lt;script&gt;" in heading(CleanPage(an_empty_workspace, ""))


def test_without_pictures_it_says_how_to_gather(tmp_path: Path) -> None:
    assert "kezako gather NAME" in said(CleanPage(Workspace(tmp_path), ""))


def test_a_broken_recipe_is_a_sentence_and_shows_no_others_pictures(
    an_empty_workspace: Workspace,
) -> None:
    for name in ("broken", "whole"):
        fill(an_empty_workspace, name, each=1)
    (an_empty_workspace.folder("broken") / "recipe.toml").write_text("clases = 3")
    desk = CleanPage(an_empty_workspace, "name=whole")
    desk.children[0].children[0].value = "broken"
    assert "line 1" in said(desk)
    assert not heading(desk)


def test_a_damaged_manifest_is_a_sentence(an_empty_workspace: Workspace) -> None:
    fill(an_empty_workspace, each=1)
    for left in an_empty_workspace.folder("colours").glob("manifest.db*"):
        left.write_bytes(b"no database, but long enough to be looked at as one" * 100)
    assert "cannot be shown" in said(CleanPage(an_empty_workspace, ""))
