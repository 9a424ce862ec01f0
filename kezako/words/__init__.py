"""The page's own words in ten languages, one TOML table each; English is the reference.

What the maker wrote (title, prompt, answer, class names) is not here: see `Card.texts`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from kezako.errors import KezakoError

DEFAULT = "en"
# The sentences that a page in another language hands to its front end, since its script and its
# template have only the English ones.
IN_BROWSER = (
    "sending", "on_its_way", "looking", "photo", "cancel", "close", "start_again", "lost", "asleep",
    "restarted", "unreadable", "too_large", "only_one", "only_address", "output_failed",
    "part_missing", "share_copied", "share_saved", "share_again", "share_failed", "camera",
    "take_photo", "shutter", "camera_waiting", "camera_denied", "camera_none", "camera_busy",
    "camera_failed", "noscript", "late",
)  # fmt: skip
LISTED = 6  # names in one list; of more, only the number is given
LONGEST = 1000  # characters of an Accept-Language header that are read
_TABLES = Path(__file__).parent
_FIELD = re.compile(r"\{(\w+)\}")


class VisitorError(KezakoError):
    """An error that visitors are told: `str()` is English, `Words.error` has their language."""

    def __init__(
        self,
        key: str,  # of a sentence in the tables
        sentence: str = "",  # what English speakers are told instead, such as an engine's own words
        **values: object,  # fill in the sentence
    ):
        super().__init__(key, sentence)
        self.key, self.sentence, self.values = key, sentence, values

    def __str__(self) -> str:
        return self.sentence or words()(self.key, **self.values)


class Words:
    """The sentences of one language: `words("ready", name="cat.jpg")`."""

    def __init__(self, code: str, table: dict[str, str]):
        self.code = code  # of the language, as in BCP 47: "en", "de"
        self._table = table

    def __call__(self, key: str, **values: object) -> str:
        """The sentence `key` with `values` filled in. Raises `KeyError` for an unknown key."""
        # Not str.format, and in one pass: a value is a stranger's text, and may hold braces itself.
        return _FIELD.sub(lambda found: str(values.get(found[1], found[0])), self._table[key])

    def error(self, error: VisitorError) -> str:
        """What a visitor is told about `error`."""
        return str(error) if self.code == DEFAULT else self(error.key, **error.values)

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

    def in_browser(self) -> str:
        """JSON of the sentences for the front end; empty for English, which it has itself."""
        own = {} if self.code == DEFAULT else {key: self(key) for key in IN_BROWSER}
        return json.dumps(own, ensure_ascii=False) if own else ""

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
    """The code of the language in an `Accept-Language` header that is wanted most, of those that
    there is a table for.

    English if there is none, and for a header that cannot be read.
    """
    best, most = DEFAULT, 0.0
    for part in header[:LONGEST].split(","):
        tag, _, quality = part.partition(";")
        code = tag.strip().lower().split("-")[0]
        weight = _weight(quality)
        if code in languages() and weight > most:  # of equal ones the first
            best, most = code, weight
    return best


def _weight(quality: str) -> float:
    """The number in `q=0.8`, at most 1; 1 where there is none, 0 where it cannot be read."""
    name, _, value = quality.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(float(value), 1.0) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
