"""A recipe that is right is read as written, with a default for all that it leaves out."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from kezako.recipe import _CHECKS, Recipe, load_recipe, parse_recipe
from kezako.translations import Translation

TWO = '[classes]\ncat = ["house cat"]\ndog = []\n'


def test_defaults_fill_what_is_left_out() -> None:
    recipe = parse_recipe(TWO, name="pets")
    assert recipe == Recipe(name="pets", classes={"cat": ("house cat",), "dog": ("dog",)})


def test_every_field_can_be_set_and_is_checked() -> None:
    assert set(_CHECKS) == {field.name for field in fields(Recipe)} - {"name", "path", "names"}


def test_every_setting_is_read() -> None:
    recipe = parse_recipe(
        """
        title = "Pets?"
        prompt = "A pet, please."
        answer = "{label}!"
        language = "fr"
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
        [words.fr]
        title = "Quel animal ?"
        prompt = "Un animal, s'il vous plaît."
        answer = "Voici : {label}."
        classes = { cat = "chat", dog = "chien" }
        [classes]
        cat = { name = "house cat", search = "cat at home" }
        dog = ["dog", "puppy"]
        """,
        name="pets",
    )
    assert recipe == Recipe(
        name="pets",
        classes={"cat": ("cat at home",), "dog": ("dog", "puppy")},
        names={"cat": "house cat"},
        language="fr",
        words={
            "fr": Translation(
                "Quel animal ?",
                "Un animal, s'il vous plaît.",
                "Voici : {label}.",
                {"cat": "chat", "dog": "chien"},
            )
        },
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


@pytest.mark.parametrize(
    ("cat", "searches", "name"),
    [
        ('"puss"', ("puss",), "cat"),
        ('["puss", "kitten"]', ("puss", "kitten"), "cat"),
        ('{ search = "puss" }', ("puss",), "cat"),
        ('{ name = "house cat" }', ("cat",), "house cat"),
        ('{ name = "house cat", search = ["puss", "kitten"] }', ("puss", "kitten"), "house cat"),
    ],
)
def test_a_class_may_have_a_display_name_beside_its_folder(
    cat: str, searches: tuple[str, ...], name: str
) -> None:
    recipe = parse_recipe(f"[classes]\ncat = {cat}\ndog = []\n", name="pets")
    assert recipe.classes["cat"] == searches
    assert recipe.labels == ("cat", "dog")
    assert (recipe.name_of("cat"), recipe.name_of("dog")) == (name, "dog")


def test_classes_may_be_tables_and_have_a_setting_s_name() -> None:
    text = '[classes.cat]\nname = "house cat"\n[classes.title]\nsearch = "book title"\n'
    recipe = parse_recipe(text, name="pets")
    assert recipe.classes == {"cat": ("cat",), "title": ("book title",)}
    assert recipe.names == {"cat": "house cat"}


def test_a_translated_class_is_found_in_whichever_form_its_letters_are_written() -> None:
    text = '[words.fr.classes]\n"cafe\u0301" = "café noir"\n[classes]\n"caf\u00e9" = []\ntea = []\n'
    assert parse_recipe(text, name="drinks").words["fr"].classes == {"caf\u00e9": "café noir"}
