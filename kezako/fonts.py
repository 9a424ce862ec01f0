"""Make class names readable in figures: as they are if a font has their letters, else by number.

A name may be Chinese, an emoji, as long as a sentence, or "$x$", which matplotlib would take for
a formula. matplotlib's default font has neither Chinese letters nor emoji, and draws boxes. If
names are replaced by numbers, a key explains these.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from html import escape

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

LONGEST = 24  # letters of a name; longer names are cut and end in "…"
# Fonts of operating systems, or installed ones, for scripts that matplotlib's own font lacks.
FAMILIES = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Noto Sans KR",
    "Source Han Sans", "Source Han Sans SC", "Hiragino Sans", "Hiragino Sans GB", "PingFang HK",
    "PingFang SC", "Apple SD Gothic Neo", "Arial Unicode MS", "Yu Gothic", "Meiryo", "MS Gothic",
    "Microsoft YaHei", "SimHei", "Microsoft JhengHei", "Malgun Gothic", "NanumGothic",
    "IPAexGothic", "IPAGothic", "TakaoGothic", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Droid Sans Fallback", "Noto Sans Thai", "Leelawadee UI", "Tahoma", "Thonburi",
    "Noto Sans Devanagari", "Nirmala UI", "Noto Emoji", "Segoe UI Emoji", "Segoe UI Symbol",
    "Symbola", "Noto Sans Symbols 2", "Noto Sans Symbols2", "Unifont",
)  # fmt: skip
# Before 3.11, combining and right-to-left letters were drawn wrongly.
_SHAPES = mpl.__version_info__ >= (3, 11)


class Lettering:
    """How the names in one figure are drawn."""

    def __init__(self, names: Iterable[str]):
        all_of_them = dict.fromkeys(name for name in names if name)
        self._families = _needed("".join(all_of_them))
        short = {name: shortened(name) for name in all_of_them if self._can_draw(name)}
        alike = Counter(short.values())
        self._numbers = {
            name: str(number)
            for number, name in enumerate(all_of_them, 1)
            if name not in short or alike[short[name]] > 1
        }
        self._drawn = {**short, **self._numbers}
        changed = [name for name, drawn in self._drawn.items() if drawn != name]
        longest_first = sorted(changed, key=len, reverse=True)  # one name can contain another
        self._changed = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    @property
    def key(self) -> str:
        """The key to the numbers in the figure, as plain text; empty if there are none."""
        return "; ".join(f"{number} = {name}" for name, number in self._numbers.items())

    def __call__(self, text: str) -> str:
        """`text`, which may contain names, as it should be drawn."""
        text = self._changed.sub(lambda found: self._drawn[found[0]], text)
        return "".join(c if c.isspace() or self._can_draw(c) else "?" for c in text)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Inside the block, figures use the needed fonts, and "$" does not start a formula."""
        family = [*mpl.rcParams["font.family"], *self._families]
        with (
            mpl.rc_context({"font.family": family, "text.parse_math": False}),
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", "Glyph .* missing from")  # until `put_into`
            yield

    def put_into(self, figure: Figure) -> None:
        """Replace what cannot be drawn in all texts of a figure."""
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                self._put_beside(axis)
        for text in figure.findobj(Text):
            if (drawn := self(text.get_text())) != text.get_text():
                text.set_text(drawn)

    def _put_beside(self, axis: Axis) -> None:
        # Tick labels are rewritten whenever the axis is drawn, so set them here.
        given = [label.get_text() for label in axis.get_ticklabels()]
        drawn = [self(text) for text in given]
        if drawn != given:
            axis.set_ticks(axis.get_ticklocs(), drawn)

    def _can_draw(self, text: str) -> bool:
        return _shapes(text) and all(_has(self._families, letter) for letter in text)


@contextmanager
def legible(names: Iterable[str]) -> Iterator[None]:
    """Make the names readable in every pyplot figure that is created in the block.

    In a notebook, the key to the numbers is shown as text below the figure.
    """
    lettering = Lettering(names)
    before = plt.get_fignums()
    with lettering.used():
        yield
        made = [plt.figure(number) for number in plt.get_fignums() if number not in before]
        for figure in made:
            lettering.put_into(figure)
    if made and lettering.key:
        _tell(lettering.key)


def shortened(name: str) -> str:
    """`name`, cut to `LONGEST` letters."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}…"


def files_for(text: str, weight: str = "normal") -> list[str]:
    """Font files that together have as many letters of `text` as possible, matplotlib's own first.

    `weight` is that of matplotlib's own font; the others have the one that is installed.
    """
    own = font_manager.FontProperties(family=mpl.rcParams["font.family"], weight=weight)
    return [font_manager.findfont(own), *map(_file_of, _needed(text))]


def has_letter(file: str, letter: str) -> bool:
    """Whether a font file has the letter."""
    return bool(font_manager.get_font(file).get_char_index(ord(letter)))


def is_simple(text: str) -> bool:
    """Whether the letters stand side by side from left to right, so that none needs shaping."""
    return not any(
        unicodedata.bidirectional(letter) in ("R", "AL") or unicodedata.category(letter)[0] == "M"
        for letter in text
    )


def _tell(key: str) -> None:
    from IPython import get_ipython
    from IPython.display import HTML, display

    if get_ipython() is not None:  # type: ignore[no-untyped-call]
        # The CSS classes keep Jupyter from rendering formulas in names.
        display(HTML(f'<p class="tex2jax_ignore mathjax_ignore">In the figure: {escape(key)}.</p>'))


def _shapes(text: str) -> bool:
    """Whether matplotlib can draw the letters."""
    return _SHAPES or is_simple(text)


def _needed(text: str) -> tuple[str, ...]:
    """The font families to add after matplotlib's own, so that as few letters as possible lack."""
    lacking = {letter for letter in text if not _has((), letter)}
    needed: list[str] = []
    for family in _installed() if lacking else ():
        if found := {letter for letter in lacking if _in(family, letter)}:
            needed.append(family)
            lacking -= found
    return tuple(needed)


@cache
def _installed() -> Sequence[str]:
    """The `FAMILIES` that are installed, including fonts that matplotlib has not cached yet."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known:
            with suppress(Exception):  # a font that matplotlib cannot use, such as colour emoji
                font_manager.fontManager.addfont(path)
    names = {entry.name for entry in font_manager.fontManager.ttflist}
    return [family for family in FAMILIES if family in names]


@cache
def _has(families: tuple[str, ...], letter: str) -> bool:
    """Whether one of these fonts, or matplotlib's own, has the letter."""
    own = mpl.rcParams["font.family"]
    return any(_in(family, letter) for family in (*own, *families))


@cache
def _in(family: str, letter: str) -> bool:
    return has_letter(_file_of(family), letter)


def _file_of(family: str) -> str:
    return str(font_manager.findfont(font_manager.FontProperties(family=[family])))
