"""What the page says, without a page."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kezako.model.bundle import Card, Preprocessing
from kezako.model.classifier import Answer
from kezako.model.wording import alternative, detail, headline, percent, sentence, short
from kezako.words import words


def a_card(*labels: str, task: str = "single", answer: str = "This is a {label} bear.") -> Card:
    return Card("x", "T", "P", answer, labels, task, Preprocessing(32, "crop"), "fp32", 1.0, {}, None)  # type: ignore[arg-type]  # fmt: skip  # noqa: E501


def an_answer(values: Mapping[str, float], *labels: str, known: bool = True) -> Answer:
    return Answer(labels[0] if labels else None, labels, values, known)


BEARS = a_card("black", "grizzly", "teddy")
FACES = a_card("female", "male", task="multi", answer="This face is {label}.")


@pytest.mark.parametrize(
    ("probabilities", "said"),
    [
        ({"grizzly": 0.97, "black": 0.02, "teddy": 0.01}, "This is a grizzly bear."),
        ({"grizzly": 0.899, "black": 0.1, "teddy": 0.001}, "Probably grizzly"),
        ({"grizzly": 0.67, "black": 0.3, "teddy": 0.03}, "Probably grizzly"),
        ({"grizzly": 0.51, "black": 0.40, "teddy": 0.09}, "Hard to say: grizzly or black?"),
        ({"grizzly": 0.4, "black": 0.3, "teddy": 0.3}, "Hard to say: grizzly, black or teddy?"),
        ({"grizzly": 0.6, "black": 0.2, "teddy": 0.2}, "Hard to say: grizzly or black?"),
    ],
)
def test_one_of_several(probabilities: dict[str, float], said: str) -> None:
    assert sentence(BEARS, an_answer(probabilities, "grizzly")) == said


def test_none_of_these() -> None:
    answer = an_answer({"teddy": 0.9, "black": 0.06, "grizzly": 0.04}, known=False)
    assert headline(BEARS, answer) == "None of these"
    assert detail(BEARS, answer) == "It does not look like black, grizzly or teddy."
    assert sentence(BEARS, answer) == f"{headline(BEARS, answer)}. {detail(BEARS, answer)}"


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("female",), "This face is female."),
        (("female", "male"), "This face is female and male."),
        ((), "Neither female nor male."),
    ],
)
def test_several_at_once(labels: tuple[str, ...], said: str) -> None:
    assert sentence(FACES, an_answer({"female": 0.5, "male": 0.5}, *labels)) == said


def test_many_classes_are_counted() -> None:
    many = a_card(*(f"class {n}" for n in range(40)))
    assert "any of 40 classes" in sentence(many, an_answer({"class 1": 0.1}, known=False))


def test_the_answer_of_a_card_is_no_format_string() -> None:
    card = a_card("a", "b", answer="{label.__class__} {0} {label}!")
    assert sentence(card, an_answer({"a": 0.9, "b": 0.1}, "a")) == "{label.__class__} {0} a!"


def test_percents_claim_neither_0_nor_100() -> None:
    assert [percent(p) for p in (0.0, 0.009, 0.42, 0.994, 1.0)] == [
        "< 1 %", "< 1 %", "42 %", "99 %", "> 99 %"]  # fmt: skip


def test_lists_read_as_english() -> None:
    assert words().listed(["a"], "or") == "a"
    assert words().listed(["a", "b", "c"], "nor") == "a, b nor c"


def test_long_names_lose_their_middle() -> None:
    assert len(short("x" * 500 + ".jpg")) == 40
    assert short("cat.jpg") == "cat.jpg"


def test_a_heat_map_in_words() -> None:
    assert alternative("grizzly", 0.5, 0.5).endswith(
        "evidence for grizzly is: most of it in the middle."
    )
    assert alternative("grizzly", 0.1, 0.95).endswith("most of it at the bottom left.")
    assert alternative("grizzly", 0.5, 0).endswith("most of it at the top.")
    assert alternative("grizzly", 1, 0.5).endswith("most of it at the right.")
