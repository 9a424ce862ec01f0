"""Cards have the sections of docs/model-card.md, and say what was measured."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kezako.bring.card import readme
from kezako.bundle import Card, read_card
from kezako.train.model_card import model_card
from tests.conftest import ROOT

BEARS = ROOT / "models" / "bears"


@pytest.fixture(scope="module")
def the_bears() -> Card:
    return read_card(BEARS)


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.*)$", text, re.M)


def documented() -> list[str]:
    table = (ROOT / "docs" / "model-card.md").read_text("utf-8").split("## What the figures")[0]
    return [row.split("|")[1].strip() for row in table.splitlines() if row.startswith("| ")][1:]


def test_a_card_has_the_documented_sections(the_bears: Card) -> None:
    assert headings(model_card(the_bears)) == documented()


def test_the_shipped_card_is_what_its_figures_say(the_bears: Card) -> None:
    assert (BEARS / "README.md").read_text("utf-8") == model_card(the_bears)


def test_an_imported_card_says_where_it_came_from_instead(the_bears: Card) -> None:
    origin = {"file": "x.pkl", "bytes": 1, "sha256": "0", "architecture": "resnet18",
              "left_out": [], "difference": 0.0}  # fmt: skip
    imported = replace(the_bears, figures={}, training={"imported": origin})
    assert headings(readme(imported)) == ["Where it came from", "How good it is", "Limits"]
    assert "Where it came from" in (ROOT / "docs" / "model-card.md").read_text("utf-8")


def test_few_pictures_say_less(the_bears: Card) -> None:
    def told(pictures: int) -> list[str]:
        validation = {**the_bears.figures["validation"], "error": 0.08, "pictures": pictures}
        card = replace(the_bears, figures={**the_bears.figures, "validation": validation})
        return re.findall(r"between (\S+) % and (\S+) %, 19 times", model_card(card))

    assert told(50) == [("3.2", "18.8")]  # Wilson's interval of 4 in 50
    assert told(5000) == [("7.3", "8.8")]


def test_a_card_of_several_labels_has_them_too(the_bears: Card) -> None:
    figures = {**the_bears.figures, "validation": {**the_bears.figures["validation"]}}
    del figures["validation"]["confusion"]
    text = model_card(replace(the_bears, task="multi", figures=figures))
    assert headings(text) == documented()
    assert "19 times in 20" not in text
    assert "confusion.png" not in text


@pytest.mark.parametrize(
    ("head", "epochs", "words"),
    [
        (
            {"error": 0.1},
            [],
            "The last layers of a resnet18 were trained with fastai, the others frozen, at",
        ),
        ({"error": 0.1}, [{}, {}], "fine-tuned with fastai for 2 epochs of at most 12, after"),
        (None, [{}], "A resnet18 was trained with fastai for 1 epoch at 192 px"),
    ],
)
def test_how_it_was_trained_is_told_as_it_was(
    the_bears: Card, head: object, epochs: list[object], words: str
) -> None:
    recipe = {**the_bears.training["recipe"], "fit": "full"}
    training = {**the_bears.training, "recipe": recipe, "head": head, "epochs": epochs}
    assert words in model_card(replace(the_bears, training=training))
