"""Letters of any script for a drawn picture: which fonts have them, and how text fits a box.

`kezako.fonts` does the same for matplotlib's figures.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from matplotlib.ft2font import FT2Font
from PIL import ImageDraw, ImageFont, features

from kezako import fonts

Weight = Literal["normal", "bold"]
LONGEST = 300  # characters of one text that are looked at
ELLIPSIS = "…"
# A line may break after a space or a hyphen, and beside each Chinese, Japanese or Korean letter.
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_PIECES = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}-]*-+|[^\s{_WIDE}-]+|\s+")


@dataclass(frozen=True)
class Lettering:
    """The fonts that some texts need, the first for as many letters as possible."""

    files: tuple[str, ...]  # font files; empty text: the one that Pillow brings
    weight: Weight

    @classmethod
    def of(cls, texts: Iterable[str], weight: Weight = "normal") -> Lettering:
        """Pillow's own font if it has all letters, else matplotlib's and those it lacks."""
        letters = "".join(texts)
        if all(map(_is_in_own, letters)):
            return cls(("",), weight)
        return cls(tuple(fonts.files_for(letters, weight)), weight)

    def drawable(self, text: str) -> str:
        """`text` on one line, without signs that no font has; empty if letters are missing."""
        text = unicodedata.normalize("NFC", text[:LONGEST])
        # Control characters have no shape, and some of them turn the text round.
        text = "".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
        text = " ".join(text.split())
        if not (fonts.is_simple(text) or features.check("raqm")):
            return ""
        kept = [sign for sign in text if self._file_of(sign) is not None]
        lost = set(text) - set(kept)
        if any(unicodedata.category(sign)[0] in "LMN" for sign in lost):
            return ""
        return " ".join("".join(kept).split())

    def width(self, text: str, size: int) -> float:
        """Pixels that one line takes."""
        return sum(_font(file, size).getlength(run) for file, run in self._runs(text))

    def draw(
        self,
        draw: ImageDraw.ImageDraw,
        at: tuple[float, float],  # the left end of the base line
        text: str,
        size: int,
        colour: str,
    ) -> None:
        """Draw one line."""
        x, y = at
        for file, run in self._runs(text):
            # Pillow's own font has one weight: a thin outline makes it bolder.
            stroke = size / 50 if self.weight == "bold" and not file else 0
            draw.text((x, y), run, colour, _font(file, size), anchor="ls", stroke_width=stroke)
            x += _font(file, size).getlength(run)

    def fitted(
        self,
        text: str,
        width: int,
        lines: int,  # at most
        sizes: Sequence[int],  # to try, the largest first
    ) -> tuple[int, list[str]]:
        """Size and lines: as large as fits without cutting a word, else the smallest, cut."""
        for size in sizes:
            found = self._wrapped(text, width, size)
            if found is not None and len(found) <= lines:
                return size, self._balanced(text, width, size, found)
        size = sizes[-1]
        found = self._wrapped(text, width, size, cut=True) or []
        if len(found) > lines:
            found = [*found[: lines - 1], self.cut(" ".join(found[lines - 1 :]), width, size)]
        return size, found

    def cut(self, text: str, width: float, size: int) -> str:
        """`text`, shortened to end in "…" if it is wider."""
        if self.width(text, size) <= width:
            return text
        while text and self.width(text + ELLIPSIS, size) > width:
            text = text[:-1].rstrip()
        return text + ELLIPSIS

    def _balanced(self, text: str, width: int, size: int, lines: list[str]) -> list[str]:
        """The same number of lines, as equally long as they can be."""
        for narrower in range(width // 2, width, 20):
            found = self._wrapped(text, narrower, size)
            if found is not None and len(found) == len(lines):
                return found
        return lines

    def _wrapped(self, text: str, width: int, size: int, cut: bool = False) -> list[str] | None:
        """Lines of at most `width`; None if a word is wider, unless it may be `cut`."""
        lines = [""]
        for piece in _PIECES.findall(text):
            if self.width((lines[-1] + piece).rstrip(), size) <= width:
                lines[-1] += piece
            elif self.width(piece.strip(), size) <= width:
                lines.append(piece)
            elif cut:
                lines += self._cut_up(piece, width, size)
            else:
                return None
        return [line.strip() for line in lines if line.strip()]

    def _cut_up(self, word: str, width: int, size: int) -> Iterator[str]:
        part = ""
        for letter in word:
            if part and self.width(part + letter, size) > width:
                yield part
                part = ""
            part += letter
        yield part

    def _runs(self, text: str) -> Iterator[tuple[str, str]]:
        """Pieces of `text`, each with the font file that has all of its letters."""
        run, before = "", self.files[0]
        for sign in text:
            file = self._file_of(sign)
            file = before if file is None or sign.isspace() else file
            if file != before and run:
                yield before, run
                run = ""
            run, before = run + sign, file
        if run:
            yield before, run

    def _file_of(self, sign: str) -> str | None:
        if sign == ELLIPSIS or sign.isspace():
            return self.files[0]
        return next((file for file in self.files if _has(file, sign)), None)


@cache
def _font(file: str, size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(file, size) if file else ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow is built without FreeType"
    return font


def _has(file: str, sign: str) -> bool:
    return fonts.has_letter(file, sign) if file else _is_in_own(sign)


@cache
def _is_in_own(sign: str) -> bool:
    return sign.isspace() or bool(_own().get_char_index(ord(sign)))


@cache
def _own() -> FT2Font:
    data = _font("", 20).path
    assert isinstance(data, io.BytesIO)
    return FT2Font(io.BytesIO(data.getvalue()))
