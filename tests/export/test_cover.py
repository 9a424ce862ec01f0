"""The cover is a small picture of the right size, whatever title and classes are called."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from kezako.export import cover
from kezako.export.cover import COLUMN, LEFT, MOST_BYTES, PICTURES, SIZE, TOP, draw_cover
from kezako.export.lettering import Lettering
from kezako.model.bundle import Card
from kezako.translations import Translation
from tests.cards import a_measured_card

GROUND = (0xFB, 0xFB, 0xFA)
HOSTILE = "<b>$x$\u202e\x1b[2J & {label}"
CHINESE = "哪一种熊"


@pytest.fixture(scope="module")
def a_card() -> Card:
    return replace(a_measured_card(), title="Which bear is this?")


def noise(seed: int, size: tuple[int, int] = (512, 384)) -> bytes:
    """A picture that compresses badly."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


def opened(jpeg: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(jpeg))
    assert (image.format, image.size) == ("JPEG", SIZE)
    assert len(jpeg) <= MOST_BYTES
    return np.asarray(image).astype(int)


def painted(pixels: np.ndarray) -> np.ndarray:
    """Where something was drawn, (630, 1200)."""
    return np.asarray(np.abs(pixels - GROUND).max(axis=2) > 40)


@pytest.mark.parametrize("examples", range(5))
@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Which bear is this?", ("black bear", "grizzly bear", "teddy bear")),
        ("Welcher Bär ist das?", ("Schwarzbär", "Grizzlybär", "Teddybär")),
        ("W" * 300, tuple(letter * 100 for letter in "ABC")),
        (f"{'long words ' * 27}", tuple(f"{n} {'name ' * 19}" for n in range(3))),
        (HOSTILE, (HOSTILE, "🐻", "أي دب")),
        ("🐻", ("狐", "狼", "犬")),
    ],
)
def test_nothing_is_drawn_in_the_margins_or_over_the_pictures(
    a_card: Card, title: str, names: tuple[str, ...], examples: int
) -> None:
    card = replace(a_card, title=title, names=dict(zip(a_card.labels, names, strict=True)))
    drawn = painted(opened(draw_cover(card, [noise(n) for n in range(examples)])))
    # JPEG blurs within blocks of 8 pixels.
    gap = slice(LEFT + COLUMN + 16, SIZE[0] - TOP - PICTURES - 16)
    assert not drawn[:, gap].any(), "between text and pictures"
    assert not drawn[:, : LEFT - 16].any()
    assert not drawn[:, SIZE[0] - TOP + 16 :].any()
    assert not drawn[:30].any()
    assert not drawn[-30:].any()
    assert drawn[:, SIZE[0] - TOP - PICTURES :].any(), "pictures, or the camera"


def test_title_and_names_are_drawn_as_large_as_they_fit(a_card: Card) -> None:
    few = painted(opened(draw_cover(a_card)))[:, LEFT : LEFT + COLUMN]
    none = painted(opened(draw_cover(replace(a_card, title="?"))))[:, LEFT : LEFT + COLUMN]
    assert few.sum() > none.sum() + 5000
    bold = Lettering.of(["Which bear is this?"], "bold")
    assert bold.fitted("Which bear is this?", COLUMN, 4, cover.TITLES) == (
        cover.TITLES[0], ["Which bear", "is this?"],
    )  # fmt: skip


def test_a_word_is_cut_only_where_the_smallest_size_does_not_help() -> None:
    letters = Lettering.of(["Donaudampfschiff"])
    size, lines = letters.fitted("Donaudampfschiff", 300, 2, (84, 40, 20))
    assert (size, lines) == (20, ["Donaudampfschiff"])
    size, lines = letters.fitted("Donaudampfschiff " * 9, 100, 3, (40, 20))
    assert size == 20
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert all(letters.width(line, size) <= 100 for line in lines)


def test_many_classes_are_counted(a_card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    draw = Lettering.draw

    def listen(self: Lettering, on: object, at: object, text: str, *rest: object) -> None:
        said.append(text)
        draw(self, on, at, text, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Lettering, "draw", listen)
    draw_cover(replace(a_card, labels=tuple(f"flower {n}" for n in range(102))))
    names = [text for text in said if text.startswith("flower")]
    assert 5 <= len(names) <= 15
    assert said[-1] == f"+ {102 - len(names)}"
    said.clear()
    draw_cover(replace(a_card, language="de", words={
        "de": Translation("Welcher Bär?", classes={"black": "Schwarzbär"})}))  # fmt: skip
    assert " ".join(said) == "Welcher Bär? Schwarzbär grizzly teddy"


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Which bear?", "Which bear?"),
        ("Bär œuf łódź", "Bär œuf łódź"),
        ("Медведь", "Медведь"),
        ("bear \U0001f9ff\U0001fadc", "bear"),  # signs that hardly a font has are left out
        ("two\n\nlines\t", "two lines"),
        ("\U00012000\U00012001", ""),  # cuneiform: nothing is better than boxes
    ],
)
def test_only_letters_that_a_font_has_are_drawn(text: str, drawn: str) -> None:
    assert Lettering.of([text]).drawable(text) == drawn


def test_a_title_that_cannot_be_drawn_gives_way_to_the_name(a_card: Card) -> None:
    strange = "\U00012000\U00012001"
    same = draw_cover(replace(a_card, title=strange))
    assert painted(opened(same))[:, LEFT : LEFT + COLUMN].any()
    nothing = replace(a_card, title=strange, name=strange, labels=(strange,))
    assert not painted(opened(draw_cover(nothing)))[:, LEFT : LEFT + COLUMN].any()


def test_it_looks_the_same_twice(a_card: Card) -> None:
    assert draw_cover(a_card, [noise(1)]) == draw_cover(a_card, [noise(1)])
