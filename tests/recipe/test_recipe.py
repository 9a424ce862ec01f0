"""A recipe that is right is read as written, with a default for all that it leaves out."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from kezako.recipe import _CHECKS, Recipe, load_recipe, parse_recipe

TWO = '[classes]\ncat = ["house cat"]\ndog = []\n'


def test_defaults_fill_what_is_left_out() -> None:
    recipe = parse_recipe(TWO, name="pets")
    assert recipe == Recipe(name="pets", classes={"cat": ("house cat",), "dog": ("dog",)})


def test_every_field_can_be_set_and_is_checked() -> None:
    assert set(_CHECKS) == {field.name for field in fields(Recipe)} - {"name", "path"}


def test_every_setting_is_read() -> None:
    recipe = parse_recipe(
        """
        title = "Pets?"
        prompt = "A pet, please."
        answer = "{label}!"
        task = "multi"
        neither = ["sofa"]
        pictures_per_class = 20
        sources = ["wikimedia"]
        backbone = "resnet34"
        image_size = 96
        resize = "pad"
        min_scale = 0.25
        colour = false
        augment = false
        mult = 0.5
        fit = "quick"
        epochs = 7
        learning_rate = "find"
        validation_share = 0.3
        seed = 0
        respect_noai = false
        licence = "free"
        photos_only = false
        min_side = 32
        [classes]
        cat = "house cat"
        dog = ["dog", "puppy"]
        """,
        name="pets",
    )
    assert recipe == Recipe(
        name="pets",
        classes={"cat": ("house cat",), "dog": ("dog", "puppy")},
        title="Pets?",
        prompt="A pet, please.",
        answer="{label}!",
        task="multi",
        neither=("sofa",),
        pictures_per_class=20,
        sources=("wikimedia",),
        backbone="resnet34",
        image_size=96,
        resize="pad",
        min_scale=0.25,
        colour=False,
        augment=False,
        mult=0.5,
        fit="quick",
        epochs=7,
        learning_rate="find",
        validation_share=0.3,
        seed=0,
        respect_noai=False,
        licence="free",
        photos_only=False,
        min_side=32,
    )


def test_labels_are_sorted_as_the_model_sorts_them() -> None:
    recipe = parse_recipe("[classes]\nteddy = []\nBlack = []\ngrizzly = []\n", name="bears")
    assert recipe.labels == ("Black", "grizzly", "teddy")
    assert list(recipe.folders) == ["teddy", "Black", "grizzly"]


def test_a_multi_label_folder_stands_for_none_one_or_several_classes() -> None:
    recipe = parse_recipe('task = "multi"\nneither = ["sofa"]\n' + TWO, name="pets")
    assert recipe.folders["neither"] == ("sofa",)
    assert recipe.labels_of("neither") == ()
    assert recipe.labels_of("cat") == ("cat",)
    assert recipe.labels_of("cat+dog") == ("cat", "dog")


def test_a_single_label_recipe_may_call_a_class_neither_or_with_a_plus() -> None:
    recipe = parse_recipe('[classes]\nneither = []\n"a+b" = []\n', name="pets")
    assert recipe.labels_of("neither") == ("neither",)
    assert recipe.labels_of("a+b") == ("a+b",)


def test_the_same_letter_written_in_two_ways_is_one_class_name() -> None:
    recipe = parse_recipe('[classes]\n"cafe\u0301" = []\ntea = []\n', name="drinks")
    assert "caf\u00e9" in recipe.classes


@pytest.mark.parametrize("text", ["\ufeff" + TWO, TWO.replace("\n", "\r\n")])
def test_files_of_windows_editors_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pets" / "recipe.toml"
    path.parent.mkdir()
    path.write_bytes(text.encode())
    recipe = load_recipe(path)
    assert (recipe.name, recipe.path, recipe.labels) == ("pets", path, ("cat", "dog"))
