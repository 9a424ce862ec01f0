"""A card's words and examples are read as written; what a stranger's card says is checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from kezako.model.bundle import (
    CARD,
    COVER,
    BundleError,
    Card,
    Credit,
    Example,
    amend,
    read_bundle,
    read_card,
    write_card,
)
from kezako.model.card import card_of, words_as_json, words_of
from kezako.translations import Texts, Translation

GERMAN = Translation("Welche Farbe?", "", "Das ist {label}.", {"red": "Rot"})
CREDIT = Credit("“A rose” by Ann, CC BY 2.0", "https://example.org/rose")


@pytest.fixture
def colours(a_bundle: Callable[..., Path], tmp_path: Path) -> Path:
    """A bundle with all that a card may say, and two examples."""
    folder = a_bundle(
        tmp_path / "models", "colours", ("red", "green", "blue"), answer="It is {label}.",
        names={"red": "bright red", "green": "grass green"}, language="de", words={"de": GERMAN},
    )  # fmt: skip
    (folder / "examples").mkdir()
    for number in (1, 2):
        (folder / f"examples/{number}.jpg").write_bytes(b"picture %d" % number)
    (folder / COVER).write_bytes(b"cover")
    card = replace(
        read_card(folder),
        examples=(
            Example("examples/1.jpg", "red", CREDIT), Example("examples/2.jpg", "blue"),
        ),
    )  # fmt: skip
    write_card(folder, card)
    return folder


def test_all_of_it_is_read_back(colours: Path) -> None:
    card = read_card(colours)
    assert card.words == {"de": GERMAN}
    assert (card.language, card.names["red"]) == ("de", "bright red")
    assert card.examples[0] == Example("examples/1.jpg", "red", CREDIT)
    assert card.examples[1].credit is None
    assert card_of(json.loads(card.to_json())) == card


def test_examples_and_cover_are_read_with_their_checksums(colours: Path) -> None:
    needed = ["examples/1.jpg", COVER]
    card, files = read_bundle(colours, lambda card: needed)
    assert files == {"examples/1.jpg": b"picture 1", COVER: b"cover"}
    assert set(needed) < set(card.files)
    (colours / "examples/1.jpg").write_bytes(b"another")
    with pytest.raises(BundleError, match="is not the file that"):
        read_bundle(colours, lambda card: needed)


@pytest.mark.parametrize(
    ("label", "language", "name"),
    [
        ("red", "", "bright red"),
        ("blue", "", "blue"),
        ("red", "de", "Rot"),
        ("red", "de-AT", "Rot"),
        ("red", "DE_ch", "Rot"),
        ("green", "de", "grass green"),  # not translated: the plain name
        ("red", "fr", "bright red"),
        ("no class", "de", "no class"),
    ],
)
def test_the_name_of_a_class(colours: Path, label: str, language: str, name: str) -> None:
    assert read_card(colours).name_of(label, language) == name


def test_texts_fall_back_to_the_plain_ones_one_by_one(colours: Path) -> None:
    card = read_card(colours)
    plain = Texts("Which of colours?", "Choose a photo.", "It is {label}.")
    assert card.texts() == card.texts("fr") == plain
    assert card.texts("de") == Texts("Welche Farbe?", "Choose a photo.", "Das ist {label}.")


def test_a_card_without_them_is_written_as_older_versions_know_it(
    a_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    text = (a_bundle(tmp_path, "plain", ("a", "b", "c")) / CARD).read_text("utf-8")
    new = {"names", "language", "words", "examples"}
    assert set(json.loads(text)) == {field.name for field in fields(Card)} - new


def test_only_what_is_translated_is_written(colours: Path) -> None:
    written = json.loads((colours / CARD).read_text("utf-8"))
    assert set(written["words"]["de"]) == {"title", "answer", "classes"}


def test_amending_keeps_the_examples_and_writes_the_new_card(colours: Path) -> None:
    before = read_card(colours)
    inode = (colours / "examples/1.jpg").stat().st_ino
    sealed = amend(colours, {COVER: b"new"}, replace(before, title="New?"))
    card, files = read_bundle(colours, lambda card: card.files)
    assert sealed == card
    assert (card.title, card.examples, files[COVER]) == ("New?", before.examples, b"new")
    assert (colours / "examples/1.jpg").stat().st_ino == inode


def test_an_example_that_was_left_out_on_the_way_is_not_offered(colours: Path) -> None:
    (colours / "examples/1.jpg").unlink()
    sealed = write_card(colours, read_card(colours))
    assert [example.file for example in sealed.examples] == ["examples/2.jpg"]
    assert read_card(colours).examples == sealed.examples


def changed(folder: Path, change: dict[str, Any]) -> Card:
    card = json.loads((folder / CARD).read_text("utf-8"))
    (folder / CARD).write_text(json.dumps(card | change), encoding="utf-8")
    return read_card(folder)


def example(**change: Any) -> dict[str, Any]:
    whole = {"file": "examples/1.jpg", "label": "red", "credit": None}
    return {"examples": [whole | change]}


@pytest.mark.parametrize(
    "change",
    [
        {"names": ["red"]},
        {"names": {"no class": "x"}},
        {"names": {"red": 3}},
        {"names": {"red": ""}},
        {"names": {"red": "x" * 301}},
        {"names": {"red": "two\nlines"}},
        {"names": {"red": "\u202eder"}},
        {"language": 3},
        {"words": ["de"]},
        {"words": {"de": "x"}},
        {"words": {"de": {"title": 3}}},
        {"words": {"de": {"answer": "no place for it"}}},
        {"words": {"de": {"answer": "{label.__class__} {label}"}}},
        {"words": {"de": {"classes": {"no class": "x"}}}},
        {"examples": {"file": "examples/1.jpg"}},
        {"examples": ["examples/1.jpg"]},
        example(file="examples/../card.json"),
        example(file="../../../etc/passwd"),
        example(file="/etc/passwd"),
        example(file="model.onnx"),
        example(file="examples/1.jpg\n"),
        example(file="examples\\1.jpg"),
        example(label="no class"),
        example(credit="Ann"),
        example(credit={"text": 3, "url": ""}),
        example(credit={"text": "x" * 301, "url": ""}),
        example(credit={"text": "Ann", "url": "javascript:alert(1)"}),
        example(credit={"text": "Ann", "url": 'https://a.example/"><script>'}),
        example(credit={"text": "Ann", "url": "https://a.example/" + "x" * 2000}),
        {"files": ["model.onnx"]},
    ],
)
def test_a_stranger_s_words_and_examples_are_refused(colours: Path, change: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match="is not a card of format 1") as caught:
        changed(colours, change)
    assert "\n" not in str(caught.value)


def test_no_file_outside_the_bundle_is_ever_opened(colours: Path) -> None:
    (colours.parent / "secret.txt").write_text("secret")
    names = ("../secret.txt", str(colours.parent / "secret.txt"), "a/b.jpg", "..", "examples/x.jpg")
    files = json.loads((colours / CARD).read_text("utf-8"))["files"]
    card = changed(colours, {"files": files | dict.fromkeys(names, "0")})
    assert set(card.files) == set(files)
    with pytest.raises(BundleError):
        read_bundle(colours, lambda card: ["../secret.txt"])


def test_a_newer_version_s_languages_and_seventh_example_are_left_out(colours: Path) -> None:
    seven = [{"file": "examples/1.jpg", "label": "red"}] * 7
    card = changed(colours, {"language": "tlh", "words": {"tlh": 3}, "examples": seven})
    assert (card.language, card.words, len(card.examples)) == ("", {}, 6)


def test_another_program_is_told_all_words(colours: Path) -> None:
    """As the API does, and an engine's page reads them."""
    card = read_card(colours)
    told = json.loads(json.dumps(words_as_json(card)))
    assert words_of(told, card.labels) == {
        "names": card.names, "language": card.language, "words": card.words,
    }  # fmt: skip
