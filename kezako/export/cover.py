"""Draw `cover.jpg`, the picture that a shared link shows: title, classes, examples."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw, ImageOps

from kezako.export.lettering import ELLIPSIS, Lettering, Weight
from kezako.model.bundle import Card

SIZE = (1200, 630)  # pixels; what sites that show links ask for
MOST_BYTES = 120_000
QUALITIES = (90, 84, 76, 68, 58, 46, 34, 22)  # of the JPEG: the first that fits
SHOWN = 3  # examples
LOOKED_AT = 60  # classes; no more fit

GROUND, CARD, INK, SOFT, LINE, ACCENT = (
    "#fbfbfa", "#ffffff", "#16181d", "#5b6270", "#dfe3e9", "#1d5fd1",
)  # fmt: skip
FINER = 2  # shapes are drawn so many times larger, then averaged down: smooth edges
LEFT, TOP = 72, 64  # margins
GAP = 16  # between pictures
PICTURES = 470  # side of the square that they fill
ROUND = 28  # radius of corners
COLUMN = SIZE[0] - PICTURES - TOP - LEFT - 56  # width of the text beside the square
TITLES = (84, 76, 68, 62, 56, 50, 44)  # sizes of the title
TITLE_LINES = 4
NAMES = 30  # size of the classes' names
PILL = 58  # height of the frame around a name
PILL_ROWS = 3
PADDING = 24  # between a name and its frame
_WEIGHTS: tuple[Weight, Weight] = ("bold", "normal")


def draw_cover(
    card: Card,
    examples: Sequence[bytes] = (),  # pictures to show; the first three are
) -> bytes:
    """The cover as a JPEG of at most `MOST_BYTES`, in the card's language.

    A name in letters that no font here has is left out; so is the title, for the card's name.
    """
    image = Image.new("RGB", SIZE, GROUND)
    side = (SIZE[0] - TOP - PICTURES, (SIZE[1] - PICTURES) // 2)
    if examples:
        _pictures(image, side, [Image.open(io.BytesIO(each)) for each in examples[:SHOWN]])
    else:
        _camera(image, side)
    _texts(image, card)
    return _jpeg(image)


def _texts(image: Image.Image, card: Card) -> None:
    title, names = card.texts(card.language).title, _names(card)
    bold, plain = (Lettering.of([title, card.name, *names], weight) for weight in _WEIGHTS)
    title = bold.drawable(title) or bold.drawable(card.name)
    size, lines = bold.fitted(title, COLUMN, TITLE_LINES, TITLES)
    rows = _rows(plain, list(filter(None, map(plain.drawable, names))), len(card.labels))
    if not lines and not rows:
        return
    step = round(1.16 * size)
    mark, below = 44, 34 if lines and rows else 0  # room for the mark above, and between both
    height = mark + step * len(lines) + below + len(rows) * (PILL + 14)
    y = max(TOP, (SIZE[1] - height) // 2)
    _rounded(image, (LEFT, y, LEFT + 64, y + 10), 5, ACCENT)
    y += mark
    draw = ImageDraw.Draw(image)
    for line in lines:
        bold.draw(draw, (LEFT, y + round(0.86 * size)), line, size, INK)
        y += step
    y += below
    for row in rows:
        _pills(image, plain, row, y)
        y += PILL + 14


def _names(card: Card) -> list[str]:
    return [card.name_of(label, card.language) for label in card.labels[:LOOKED_AT]]


def _rows(lettering: Lettering, names: list[str], classes: int) -> list[list[str]]:
    """The names that fit into rows; the number of the others stands last."""
    rows: list[list[str]] = [[]]
    for shown, name in enumerate(names):
        left = classes - shown - 1
        if rows[-1] and not _fits(lettering, [*rows[-1], name], left, len(rows)):
            if len(rows) == PILL_ROWS:
                rows[-1].append(f"+ {left + 1}")
                return rows
            rows.append([])
        while len(name) > 1 and not _fits(lettering, [*rows[-1], name], left, len(rows)):
            name = name.removesuffix(ELLIPSIS)[:-1].rstrip() + ELLIPSIS
        rows[-1].append(name)
    if names and classes > len(names):
        more = f"+ {classes - len(names)}"
        if _width(lettering, [*rows[-1], more]) > COLUMN:
            rows.append([])  # there is one more: in the last row it would have found room
        rows[-1].append(more)
    return [row for row in rows if row]


def _fits(lettering: Lettering, row: Sequence[str], left: int, rows: int) -> bool:
    """Whether names fit in a row; in the last one, with the number of those that are left."""
    more = [f"+ {left}"] if left and rows == PILL_ROWS else []
    return _width(lettering, [*row, *more]) <= COLUMN


def _width(lettering: Lettering, names: Sequence[str]) -> float:
    framed = sum(lettering.width(name, NAMES) + 2 * PADDING for name in names)
    return framed + 12 * (len(names) - 1)


def _pills(image: Image.Image, lettering: Lettering, names: Sequence[str], y: int) -> None:
    x = float(LEFT)
    for name in names:
        width = lettering.width(name, NAMES) + 2 * PADDING
        _rounded(image, (x, y, x + width, y + PILL), PILL // 2, CARD, LINE)
        at = (x + PADDING, y + PILL / 2 + 0.36 * NAMES)
        lettering.draw(ImageDraw.Draw(image), at, name, NAMES, INK)
        x += width + 12


def _pictures(image: Image.Image, at: tuple[int, int], photos: Sequence[Image.Image]) -> None:
    """One fills the square, two share it, of three the first is above the others."""
    whole, half, low = PICTURES, (PICTURES - GAP) // 2, 144
    tall = PICTURES - low - GAP  # nearly 3:2, as are the two below
    places = {
        1: [(0, 0, whole, whole)],
        2: [(0, 0, whole, half), (0, half + GAP, whole, half)],
        3: [(0, 0, whole, tall), (0, tall + GAP, half, low), (half + GAP, tall + GAP, half, low)],
    }[len(photos)]
    for photo, (x, y, width, height) in zip(photos, places, strict=True):
        fitted = ImageOps.fit(photo.convert("RGB"), (width, height), Image.Resampling.LANCZOS,
                              centering=(0.5, 0.33))  # fmt: skip
        mask = Image.new("L", (width * FINER, height * FINER))
        ImageDraw.Draw(mask).rounded_rectangle(
            (0, 0, width * FINER - 1, height * FINER - 1), ROUND * FINER, 255
        )
        image.paste(fitted, (at[0] + x, at[1] + y), mask.reduce(FINER))


def _camera(image: Image.Image, at: tuple[int, int]) -> None:
    """The page's own sign for "a photo, please", where there is no picture to show."""

    x, y = at
    _rounded(image, (x, y, x + PICTURES, y + PICTURES), 40, CARD, LINE)

    def paint(draw: ImageDraw.ImageDraw) -> None:
        middle, unit, line = (x + PICTURES // 2, y + PICTURES // 2 + 8), 10, 11 * FINER
        body = _larger(middle[0] - 9 * unit, middle[1] - 6.5 * unit,
                       middle[0] + 9 * unit, middle[1] + 6.5 * unit)  # fmt: skip
        hump = [(middle[0] + a * unit, middle[1] + b * unit)
                for a, b in ((-4.4, -6.5), (-2.6, -9.3), (2.6, -9.3), (4.4, -6.5))]  # fmt: skip
        draw.rounded_rectangle(body, 3 * unit * FINER, outline=ACCENT, width=line)
        draw.line([(FINER * a, FINER * b + line / 2) for a, b in hump], ACCENT, line, "curve")
        radius = 3.6 * unit
        lens = _larger(middle[0] - radius, middle[1] - radius, middle[0] + radius,
                       middle[1] + radius)  # fmt: skip
        draw.ellipse(lens, outline=ACCENT, width=line)

    _shape(image, paint)


def _rounded(
    image: Image.Image, box: Sequence[float], radius: int, fill: str, outline: str | None = None
) -> None:
    frame, line = _larger(*box), 2 * FINER
    _shape(image, lambda draw: draw.rounded_rectangle(frame, radius * FINER, fill, outline, line))


def _shape(image: Image.Image, paint: Callable[[ImageDraw.ImageDraw], None]) -> None:
    """Paint with smooth edges: on a larger copy, then averaged down."""
    larger = image.resize((SIZE[0] * FINER, SIZE[1] * FINER), Image.Resampling.NEAREST)
    paint(ImageDraw.Draw(larger))
    image.paste(larger.reduce(FINER))


def _larger(*corners: float) -> tuple[float, ...]:
    return tuple(FINER * corner for corner in corners)


def _jpeg(image: Image.Image) -> bytes:
    for quality in QUALITIES:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality, subsampling=0, optimize=True)
        if file.tell() <= MOST_BYTES:
            break
    return file.getvalue()
