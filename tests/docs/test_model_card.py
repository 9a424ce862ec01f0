"""Cards have the sections of docs/model-card.md, and say no more than was measured."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from kezako.export.card import model_card
from kezako.importer.card import readme
from kezako.model.bundle import Card, read_card
from tests.cards import a_measured_card, check_every_figure
from tests.conftest import ROOT

BEARS = ROOT / "models" / "bears"
ORIGIN = {"file": "x.pkl", "bytes": 1, "sha256": "0", "architecture": "resnet18", "left_out": [],
          "difference": 0.0}  # fmt: skip


@pytest.fixture(scope="module")
def a_card() -> Card:
    return a_measured_card()


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.*)$", text, re.M)


def documented() -> list[str]:
    table = (ROOT / "docs" / "model-card.md").read_text("utf-8").split("## What the figures")[0]
    return [row.split("|")[1].strip() for row in table.splitlines() if row.startswith("| ")][1:]


def with_figures(card: Card, part: str, **changes: Any) -> Card:
    return replace(card, figures={**card.figures, part: {**card.figures[part], **changes}})


def test_a_card_has_the_documented_sections(a_card: Card) -> None:
    assert headings(model_card(a_card)) == documented()


@pytest.mark.parametrize("multi", [False, True])
def test_every_figure_has_its_interval(multi: bool) -> None:
    check_every_figure(a_measured_card(multi=multi))


@pytest.mark.parametrize("pictures", [24, 238])
@pytest.mark.parametrize(
    ("others", "said"),
    [(3, "at least 5 are needed to tighten the limit"), (60, "they tightened the limit")],
)
def test_pictures_of_something_else_are_counted_apart(
    pictures: int, others: int, said: str
) -> None:
    card = a_measured_card(pictures, others=others)
    check_every_figure(card)
    text = model_card(card)
    found = card.figures["none_of_these"]["something_else"]
    refused = round(found["refused"] * others)
    assert f"Of {others} pictures of something-else, which show none of the classes" in text
    assert f"{refused} are refused: {100 * found['refused']:.1f} % (" in text
    assert said in text
    assert "Not yet measured against other pictures" not in text
    assert ("greatest distance" in text) == (pictures == 24 and others == 3)
    assert "something-else |" not in text, "it is no class"


def test_the_shipped_card_is_what_its_figures_say() -> None:
    assert (BEARS / "README.md").read_text("utf-8") == model_card(read_card(BEARS))
    check_every_figure(read_card(BEARS))


def test_an_imported_card_says_where_it_came_from_instead(a_card: Card) -> None:
    imported = replace(a_card, figures={}, training={"imported": ORIGIN})
    assert headings(readme(imported)) == ["Where it came from", "How good it is", "Limits"]
    assert "Where it came from" in (ROOT / "docs" / "model-card.md").read_text("utf-8")


@pytest.mark.parametrize("multi", [False, True])
def test_an_imported_card_tells_the_same_figures(multi: bool) -> None:
    card = a_measured_card(24, multi)
    text = readme(replace(card, training={"imported": ORIGIN}))
    for name in ("after", "before"):
        figure = card.figures["calibration"][name]
        low, high = card.figures["calibration"][f"{name}_interval"]
        assert f"{100 * figure:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)" in text
    assert "So few pictures tell little" in text
    scaled = "before the temperature below scales them" in text
    assert scaled == (card.temperature != 1)


def rows(card: Card) -> dict[str, list[str]]:
    table = [line.strip("|").split("|") for line in model_card(card).splitlines() if "|" in line]
    return {cells[0].strip(" *"): [cell.strip(" *") for cell in cells[1:]] for cells in table[:6]}


def test_a_class_of_one_picture_has_its_count_and_interval(a_card: Card) -> None:
    one = {"wrong": 0, "pictures": 1, "error": 0.0, "error_interval": [0.0, 0.79346]}
    classes = {**a_card.figures["validation"]["classes"], "teddy": one}
    cells = rows(with_figures(a_card, "validation", classes=classes))["teddy"]
    assert cells[:3] == ["0 of 1", "0.0 %", "0.0 to 79.3 %"]


def test_a_class_that_no_picture_shows_has_no_figure(a_card: Card) -> None:
    classes = {**a_card.figures["validation"]["classes"]}
    del classes["teddy"]
    cells = rows(with_figures(a_card, "validation", classes=classes))["teddy"]
    assert cells[:3] == ["not measured", "", ""]


def test_of_several_labels_it_says_how_many_were_missed() -> None:
    card = a_measured_card(multi=True, apart=2.0)
    text = model_card(card)
    assert headings(text) == documented()
    assert "confusion.png" not in text
    black = card.figures["validation"]["classes"]["black"]
    missed = round(black["missed"] * black["shown"])
    assert rows(card)["black"][3].startswith(f"{missed} of {black['shown']}: ")
    assert rows(card)["all"][0].endswith(" of 714"), "yes-or-no answers"


@pytest.mark.parametrize(("pictures", "said"), [(20, "16.1 %"), (238, "")])
def test_few_pictures_are_said_to_tell_little(pictures: int, said: str) -> None:
    text = model_card(a_measured_card(pictures))
    assert ("So few pictures tell little" in text) == bool(said)
    assert said in text
    assert ("greatest distance among 20 pictures" in text) == (pictures == 20)


def test_unequal_classes_are_named(a_card: Card) -> None:
    assert "unequal" not in model_card(a_card)
    counts = {**a_card.training["pictures"], "teddy": {"train": 6, "valid": 1}}
    counts["black"] = {"train": 120, "valid": 30}
    text = model_card(replace(a_card, training={**a_card.training, "pictures": counts}))
    assert "learnt from 300 pictures of grizzly, but from 6 of teddy." in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"wrong": 0, "temperature_interval": None},
            "None of the 238 pictures got a wrong answer, and fitting a temperature takes at least",
        ),
        ({"wrong": 3, "temperature_interval": None}, "Only 3 of the 238 pictures"),
        ({"wrong": 30, "temperature_interval": [1.1, 1.6]}, "(1.10 to 1.60)"),
    ],
)
def test_a_temperature_that_cannot_be_told_is_said_to_be_none(
    a_card: Card, changes: dict[str, Any], said: str
) -> None:
    assert said in model_card(with_figures(a_card, "calibration", **changes))


def test_a_calibration_error_that_chance_would_leave_is_said_to_be_that(a_card: Card) -> None:
    for low, chance in ((0.0, True), (0.1, False)):
        card = with_figures(a_card, "calibration", after=0.189, after_interval=[low, 0.25])
        assert ("may be chance alone" in model_card(card)) == chance


def test_fp32_is_not_compared_with_itself(a_card: Card) -> None:
    agreement = {**a_card.figures["agreement"]}
    same = agreement.pop("same_label_as_fp32")
    interval = agreement.pop("same_label_as_fp32_interval")
    figures = {**a_card.figures, "agreement": agreement}
    plain = model_card(replace(a_card, precision="fp32", figures=figures))
    assert "The page runs fp32. " in plain
    assert "that fp32 gives" not in plain
    agreement |= {"same_label_in_int8": same, "same_label_in_int8_interval": interval}
    assert "because int8 would not keep its answers" in model_card(
        replace(a_card, precision="fp32", figures=figures)
    )


@pytest.mark.parametrize(
    ("gained", "interval", "said"),
    [
        (0.1, [0.05, 0.15], "errs 10.0 points less than it (95 % interval: 5.0 to 15.0)."),
        (-0.1, [-0.15, -0.05], "errs 10.0 points more than it (95 % interval: 5.0 to 15.0)."),
        (0.0, [-0.02, 0.02], "errs just as often, which may be chance (95 % interval: 2.0 points"),
        (0.01, [-0.02, 0.04], "1.0 points less than it, which may be chance (95 % interval: 2.0"),
    ],
)
def test_a_difference_within_its_interval_may_be_chance(
    a_card: Card, gained: float, interval: list[float], said: str
) -> None:
    card = with_figures(a_card, "previous", gained=gained, gained_interval=interval)
    assert said in model_card(card)


@pytest.mark.parametrize(
    ("head", "epochs", "words"),
    [
        (
            {"error": 0.1},
            [],
            "The last layers of a resnet18 were trained with fastai, the others frozen, at",
        ),
        (
            {"error": 0.1},
            [{"valid_loss": 0.2}, {"valid_loss": 0.1}],
            "fine-tuned with fastai for 2 epochs of at most 12, after",
        ),
        (None, [{"valid_loss": 0.2}], "A resnet18 was trained with fastai for 1 epoch at 192 px"),
        (None, [{}], "trained with fastai, for how many epochs is not recorded, at 192 px"),
        (None, [], "trained with fastai, for how many epochs is not recorded, at 192 px"),
    ],
)
def test_how_it_was_trained_is_told_as_it_was(
    a_card: Card, head: object, epochs: list[object], words: str
) -> None:
    training = {**a_card.training, "head": head, "epochs": epochs}
    assert words in model_card(replace(a_card, training=training))
