"""A folder means a class by its name or one of its searches, however they are spelt."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.gather import gather_from
from kezako.gather.class_names import ClassNames
from kezako.recipe import parse_recipe
from kezako.workspace import Workspace
from tests.gather.boxes import folder_of
from tests.gather.saved import recipe_of

BEARS = recipe_of(
    "bears",
    **{'"snow leopard"': ["uncia"], "grizzly": ["grizzly bear", "bear"], "black": ["bear"]},
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Grizzly", "grizzly"),
        ("grizzly_bear", "grizzly"),
        ("GRIZZLY-BEAR", "grizzly"),
        ("Snow_Leopard", "snow leopard"),
        ("Uncia", "snow leopard"),
        ("bear", None),  # a search of two classes means neither
        ("bears", None),
        ("", None),
    ],
)
def test_the_class_of_a_name(name: str, meant: str | None) -> None:
    assert ClassNames(BEARS).find(name) == meant


def test_a_class_is_itself_before_it_is_anothers_search() -> None:
    names = ClassNames(recipe_of("pets", dog=["cat"], cat=["house cat"]))
    assert names.find("Cat") == "cat"


def test_a_folder_may_be_called_as_people_call_the_class() -> None:
    text = "[classes]\ngrizzly = { name = 'brown bear', search = 'x' }\nblack = 'brown bear'\n"
    names = ClassNames(parse_recipe(text, "bears"))
    assert names.find("Brown_Bear") == "grizzly"  # before it is another class's search


def test_classes_that_differ_by_what_stands_between_words_stay_apart() -> None:
    names = ClassNames(recipe_of("odd", **{"a_b": ["x"], '"a b"': ["y"]}))
    assert [names.find(name) for name in ("a_b", "a b", "a-b")] == ["a_b", "a b", None]


def test_labels_together_are_found_by_their_searches() -> None:
    recipe = parse_recipe(
        'task = "multi"\nneither = ["landscape photo"]\n[classes]\ncat = ["house cat"]\ndog = []\n',
        "pets",
    )
    names = ClassNames(recipe)
    assert names.find("Dog+House_Cat") == "cat+dog"
    assert names.find("Landscape_photo") == names.find("NEITHER") == "neither"
    assert names.find("cat+neither") is None


def test_a_search_of_two_classes_is_said(tmp_path: Path, workspace: Workspace) -> None:
    saved = folder_of(tmp_path / "saved", ["bear/1.jpg", "grizzly/2.jpg", "grizly/3.jpg"])
    (note,) = gather_from(BEARS, workspace, saved).notes
    assert "bear (1: a search of black and grizzly)" in note
    assert "grizly (1: grizzly?)" in note


def test_a_class_that_is_none_brings_the_nearest(tmp_path: Path, workspace: Workspace) -> None:
    saved = folder_of(tmp_path / "saved", ["1.jpg"])
    with pytest.raises(ValueError, match='did you mean "grizzly"'):
        gather_from(BEARS, workspace, saved, "grizzley")
