"""The result of a check, and its text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from kezako.names import as_shown

Mark = Literal["ok", "--", "!!"]  # good; could be better; without it the page cannot be served

WIDTH = 20  # characters of the column of names
LINE = 100  # characters of a line


@dataclass(frozen=True)
class Finding:
    """One line of the table."""

    mark: Mark
    what: str
    found: str
    advice: str = ""  # what to do; empty if nothing


def as_lines(title: str, findings: Sequence[Finding]) -> list[str]:
    """A heading, then two columns; advice that findings share is printed once below them."""
    lines = [title]
    for one, following in zip_longest(findings, findings[1:]):
        lines += _wrapped(f"  {one.mark}  {as_shown(one.what):{WIDTH}} ", as_shown(one.found))
        if one.advice and (following is None or following.advice != one.advice):
            lines += _wrapped(" " * (WIDTH + 7) + "-> ", one.advice)
    return lines


def _wrapped(first: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        LINE,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]
