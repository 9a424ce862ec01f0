"""A recipe that is wrong is refused with the file, the line, and what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kezako.recipe import RecipeError, load_recipe, parse_recipe

CLASSES = "[classes]\ncat = []\ndog = []\n"
FILE = Path("data/pets/recipe.toml")


def refusal(text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, name="pets", path=FILE)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 500
    return sentence


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('titel = "x"', 'did you mean "title"?'),
        ("color = false", 'did you mean "colour"?'),
        ("Epochs = 3", 'did you mean "epochs"?'),
        ("image_sise = 3", 'did you mean "image_size"?'),
        ("zzz = 3", "known are answer, augment,"),
        ("name = 'x'", "is not a setting"),
        ("path = 'x'", "is not a setting"),
        ('title = ""', "1 to 300 characters"),
        ("title = 3", "text in quotes"),
        (f'title = "{"x" * 301}"', "1 to 300 characters"),
        (r'title = "two\nlines"', "one line of plain text"),
        (r'prompt = "\u202Eevil"', "one line of plain text"),
        ('answer = "This is it."', "must contain {label}"),
        ('answer = "{label} {label.__class__}"', "no braces but those of {label}"),
        ('language = "deutsch"', 'did you mean "de"?'),
        ('language = "tlh"', "known are en, de, fr, es, it, pt, nl, pl, ja, zh"),
        ("language = 3", '"3" is not a language'),
        ("words = 3", "must be tables, such as [words.de]"),
        ("words.de = 3", "must be a table: [words.de]"),
        ("words.german.title = 'x'", 'did you mean "de"?'),
        ("words.de.titel = 'x'", 'did you mean "title"?'),
        ("words.de.title = ''", "1 to 300 characters"),
        ("words.de.answer = 'x'", "must contain {label}"),
        ("words.de.classes = ['x']", "must be a table of names"),
        ("words.de.classes = {cat = 3}", "text in quotes"),
        ("words.de.classes = {catt = 'x'}", 'did you mean "cat"?'),
        ("words.de.classes = {cat = 'Dog'}", "by the same name"),
        ('task = "both"', "must be one of single, multi, not both"),
        ("task = ['single']", "must be one of single, multi"),
        ('neither = "sofa"', 'must be a list of texts, like ["grizzly bear"]'),
        ("neither = ['sofa']", 'needs task = "multi"'),
        ("sources = [1]", "text in quotes"),
        ('backbone = "resnet19"', "one of resnet18, resnet34, resnet50"),
        ('resize = "stretch"', "one of random-crop, crop, squish, pad"),
        ("pictures_per_class = 1", "a whole number from 2 to 100000, not 1"),
        ("pictures_per_class = 10.0", "a whole number"),
        ("pictures_per_class = true", "a whole number"),
        ("image_size = 200", "a multiple of 32"),
        ("image_size = 32", "from 64 to 512"),
        ("min_scale = 0", "a number from 0.05 to 1"),
        ("min_scale = nan", "a number from 0.05 to 1"),
        ("mult = inf", "a number from 0 to 3"),
        ('colour = "no"', "must be true or false"),
        ("augment = 0", "must be true or false"),
        ("respect_noai = 'never'", "must be true or false"),
        ("photos_only = 1", "must be true or false"),
        ('licence = "cc"', "must be one of any, free, not cc"),
        ('license = "free"', 'did you mean "licence"?'),
        ('fit = "slow"', "must be one of quick, full, not slow"),
        ("epochs = 0", "from 1 to 1000"),
        ('learning_rate = "search"', 'a number such as 0.002, or "find"'),
        ("learning_rate = 2", "from 1e-06 to 1"),
        ("validation_share = 0.9", "from 0.05 to 0.5"),
        ("seed = -1", "from 0 to 2147483647"),
        ("seed = 2024-01-01", "a whole number"),
        ("title = What is this", "not valid TOML"),
        ("epochs 3", "not valid TOML"),
        (f"epochs = {'9' * 5000}", "not valid TOML"),
        (f"sources = {'[' * 5000}", "not valid TOML"),
    ],
)
def test_a_bad_setting_is_refused_by_its_line(setting: str, said: str) -> None:
    sentence = refusal(f"# a comment\n\n{setting}\n{CLASSES}")
    assert said in sentence
    if "999" not in setting and "[[[" not in setting:  # tomllib tells no line for these two
        assert sentence.startswith(f"{FILE}, line 3: ")
    assert sentence.startswith(str(FILE))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ('"../x"', "leave out /"),
        ('"a/b"', "leave out /"),
        (r'"a\\b"', "leave out \\"),
        ('""', "must not be empty"),
        ('"  "', "must not be empty"),
        (r'"a\u0000b"', "control characters"),
        (r'"a\u001bb"', "control characters"),
        (r'"a\u202Eb"', "control characters"),
        ('"."', "must not begin with a dot"),
        ('".."', "must not begin with a dot"),
        ('".hidden"', "must not begin with a dot"),
        ('"-rf"', "a dash"),
        ('"cat "', "end with a dot or a space"),
        ('"con"', "device name"),
        ('"NUL.txt"', "device name"),
        ("'<b>'", "leave out < >"),
        (f'"{"x" * 101}"', "at most 100 bytes"),
        (f'"{"é" * 51}"', "at most 100 bytes"),
        ("Dog", "stands twice"),
    ],
)
def test_a_class_that_is_no_folder_name_is_refused_by_its_line(key: str, said: str) -> None:
    sentence = refusal(f'title = "Pets?"\n{CLASSES}{key} = []\n')
    assert said in sentence
    assert sentence.startswith(f"{FILE}, line 5: ")
    assert re.fullmatch(r"[^\x00-\x1f\x7f\u202e]*", sentence)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[classes]\n", ", line 1"),
        ("[classes]\ncat = []\n", ", line 1"),
        ("epochs = 3\n[ classes ] # two\ncat = []\n", ", line 2"),
        ("classes = ['cat', 'dog']\n", ", line 1"),
        ("classes = {cat = []}\n", ", line 1"),
        ("classes.cat = []\n", ", line 1"),
        ("[[classes]]\ncat = []\ndog = []\n", ", line 1"),
        ("", ""),
        ("epochs = 3\n", ""),
    ],
)
def test_fewer_than_two_classes_are_refused(text: str, line: str) -> None:
    sentence = refusal(text)
    assert "at least two classes" in sentence
    assert sentence.startswith(f"{FILE}{line}: ")


@pytest.mark.parametrize("setting", ["epochs = 3", 'title = "Pets?"', "sources = ['ddgs']"])
def test_a_setting_below_the_classes_is_not_taken_for_a_class(setting: str) -> None:
    sentence = refusal(f"{CLASSES}{setting}\n")
    assert sentence.startswith(f"{FILE}, line 4: ")
    assert "move it above the line [classes]" in sentence


@pytest.mark.parametrize("name", ["neither", "Neither", '"cat+dog"'])
def test_a_multi_label_class_cannot_have_a_name_with_a_meaning(name: str) -> None:
    sentence = refusal(f'task = "multi"\n{CLASSES}{name} = []\n')
    assert sentence.startswith(f"{FILE}, line 5: in a multi-label recipe")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('title = "x"\n[classes]\ncat = []\ndog = []\n"title" = [3]\n', 5),
        ("[classes]\n'dog' = []\n\"snoop dogg\" = 7\n", 3),
        ("[classes]\ncat = []\n[classes.dog]\nqueries = []\n", 4),
        ("[classes]\ncat = []\ndog = {nam = 'x'}\n", 3),
        ("[classes]\ncat = []\n[classes.dog]\nname = 3\n", 4),
        ("[classes]\ncat = []\ndog = []\n[words.de.classes]\ncow = 'Kuh'\n", 5),
        ("[classes]\ncat = {name = 'pet'}\ndog = {name = 'Pet'}\n", 3),
        ("[classes]\ncat = {name = 'dog'}\ndog = []\n", 3),
        ("classes.cat = []\nclasses.dog = [0]\n", 2),
        ('[classes]\ncat = []\n"d\\u006fg" = [0]\n', 3),
        ('[classes]\ncat = []\n"a=b" = [0]\n', 3),
    ],
)
def test_the_line_is_that_of_the_key_however_it_is_written(text: str, line: int) -> None:
    assert refusal(text).startswith(f"{FILE}, line {line}: ")


def test_a_missing_recipe_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="kezako new pets --classes"):
        load_recipe(tmp_path / "pets" / "recipe.toml")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", "title = 'é'".encode("latin-1")])
def test_a_recipe_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match="cannot be read as UTF-8 text"):
        load_recipe(path)
