"""The page's own words in ten languages, one TOML table each; English is the reference.

What the maker wrote (title, prompt, answer, class names) is not here: see `Card.texts`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

DEFAULT = "en"
LISTED = 6  # names in one list; of more, only the number is given
_TABLES = Path(__file__).parent


class Words:
    """The sentences of one language: `words("ready", name="cat.jpg")`."""

    def __init__(self, code: str, table: dict[str, str]):
        self.code = code  # of the language, as in BCP 47: "en", "de"
        self._table = table

    def __call__(self, key: str, **values: object) -> str:
        """The sentence `key` with `values` filled in. Raises `KeyError` for an unknown key."""
        text = self._table[key]
        for name, value in values.items():
            # Not str.format: a value is a stranger's text, and may hold braces itself.
            text = text.replace(f"{{{name}}}", str(value), 1)
        return text

    def listed(
        self,
        names: Sequence[str],  # one or more
        last: str,  # what joins the last: "and", "or", "nor"
    ) -> str:
        """`a`, `a or b`, `a, b or c`; for more than `LISTED` names, their number."""
        if len(names) > LISTED:
            return self("any_of" if last == "or" else "so_many", count=len(names))
        if len(names) == 1:
            return names[0]
        return self("comma").join(names[:-1]) + self(last) + names[-1]

    def table(self) -> dict[str, str]:
        """All sentences by key."""
        return dict(self._table)


@cache
def languages() -> tuple[str, ...]:
    """The codes of the languages there are, sorted."""
    return tuple(sorted(path.stem for path in _TABLES.glob("*.toml")))


@cache
def words(code: str = DEFAULT) -> Words:
    """The words of a language; English for a code that there is no table for."""
    code = code if code in languages() else DEFAULT
    return Words(code, tomllib.loads((_TABLES / f"{code}.toml").read_text("utf-8")))


def accepted(header: str) -> str:
    """The code of the first language in an `Accept-Language` header that there is a table for.

    English if there is none, and for a header that cannot be read.
    """
    wanted = []
    for part in header[:1000].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        wanted.append((weight, tag.strip().lower().split("-")[0]))
    for weight, code in sorted(wanted, key=lambda one: -one[0]):
        if weight > 0 and code in languages():
            return code
    return DEFAULT
