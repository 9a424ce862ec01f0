"""The lines of a recipe: a mistake is reported with the line where it stands."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from kezako.errors import KezakoError


class RecipeError(KezakoError):
    """A recipe that cannot be used; the message says which line to change, and how."""


_HEADER = re.compile(r"""\s*\[{1,2}((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'\]#])+)\]""")
_KEY = re.compile(r"""\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'=#\[])+?)\s*=""")


@dataclass(frozen=True)
class Where:
    """Finds the line of a key for error messages; tomllib does not keep line numbers."""

    text: str
    file: str
    table: tuple[str, ...] = ()  # the table whose keys are being checked

    def error(self, key: str, sentence: str) -> RecipeError:
        return self.error_at(self._line((*self.table, key)), sentence)

    def error_at(self, line: int | None, sentence: str) -> RecipeError:
        place = f"{self.file}, line {line}" if line else self.file
        return RecipeError(f"{place}: {sentence}" + ("" if sentence[-1] in ".?" else "."))

    def _line(self, wanted: tuple[str, ...]) -> int | None:
        """The line where `wanted` is set, else that of the table it belongs to."""
        table: tuple[str, ...] = ()
        best, line = 0, None
        for number, content in enumerate(self.text.splitlines(), 1):
            if header := _HEADER.match(content):
                path = table = _key_path(header[1])
            elif setting := _KEY.match(content):
                path = (*table, *_key_path(setting[1]))
            else:
                continue
            alike = min(len(path), len(wanted))
            if path[:alike] == wanted[:alike] and alike > best:
                best, line = alike, number
        return line


def _key_path(text: str) -> tuple[str, ...]:
    """`classes."snoop dogg"` as its parts; empty if it is not a key."""
    try:
        value: Any = tomllib.loads(f"{text} = 0")
    except ValueError:
        return ()
    path = []
    while isinstance(value, dict):
        (key, value), *_ = value.items()
        path.append(key)
    return tuple(path)


def loads(text: str, where: Where) -> dict[str, Any]:
    """The values of a TOML file. Raises `RecipeError` with the line of the mistake."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise where.error_at(None, "this is not valid TOML (nested too deeply)") from None
    except ValueError as error:  # a TOMLDecodeError, or a number with thousands of digits
        said = str(error)
        place = re.search(r" ?\(at line (\d+), column \d+\)", said)
        said = (said.replace(place[0], "") if place else said).rstrip(".")
        sentence = f"this is not valid TOML ({said}); texts stand in quotes, lists in [ ]"
        raise where.error_at(int(place[1]) if place else None, sentence) from None
