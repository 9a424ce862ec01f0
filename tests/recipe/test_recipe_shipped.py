"""The recipes that ship are right, and say what the write-ups said."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.recipe import load_recipe

SHIPPED = {
    "bears": {"grizzly", "black", "teddy"},
    "emotions": {"happy", "sad", "angry"},
    "lookalikes": {"jessica chastain", "bryce dallas howard"},
    "icons": {"beyonce", "snoop dogg", "eminem"},
    "faces": {"female", "male"},
}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_can_be_read_and_teaches(the_repository: Path, name: str) -> None:
    path = the_repository / "data" / name / "recipe.toml"
    recipe = load_recipe(path)
    assert set(recipe.classes) == SHIPPED[name]
    assert path.read_text(encoding="utf-8").count("#") >= 5


def test_black_searches_for_black_bears(the_repository: Path) -> None:
    recipe = load_recipe(the_repository / "data/bears/recipe.toml")
    assert recipe.classes["black"][0] == "black bear"


def test_emotions_are_learnt_in_grey(the_repository: Path) -> None:
    assert not load_recipe(the_repository / "data/emotions/recipe.toml").colour


def test_faces_can_answer_neither(the_repository: Path) -> None:
    recipe = load_recipe(the_repository / "data/faces/recipe.toml")
    assert recipe.task == "multi"
    assert recipe.folders["neither"]
