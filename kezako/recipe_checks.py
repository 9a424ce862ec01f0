"""Checks of a recipe's values.

Each returns the value, or raises `RecipeError` with its line and what to write instead.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from kezako.errors import KezakoError
from kezako.names import most_similar
from kezako.recipe_lines import Where
from kezako.translations import LABEL, LANGUAGES, LONGEST, Translation, is_line, nearest_language

_RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))}
_FORBIDDEN = set('/\\:*?"<>|')


def check_folder_name(name: str) -> str:
    """`name` in NFC, if it is a valid folder name on every system. Raises `KezakoError`."""
    if not name.strip():
        raise KezakoError("a name must not be empty")
    if any(unicodedata.category(character)[0] == "C" for character in name):
        raise KezakoError(f"{name!r} holds control characters; a name must be plain text")
    if bad := sorted(_FORBIDDEN & set(name)):
        raise KezakoError(f"{name!r} cannot be a folder name; leave out {' '.join(bad)}")
    if name[0] in ". -" or name[-1] in ". ":
        raise KezakoError(
            f"{name!r} cannot be a folder name; it must not begin with a dot, "
            "a dash or a space, nor end with a dot or a space"
        )
    if name.split(".")[0].casefold() in _RESERVED:
        raise KezakoError(f"{name!r} is a device name on Windows; choose another")
    if len(name.encode()) > 100:
        raise KezakoError(f"{name[:20]!r}... is too long for a folder name; use at most 100 bytes")
    return unicodedata.normalize("NFC", name)


def shown(value: object) -> str:
    """`value` in an error: short, and without control characters."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in text[:61])
    return text if len(text) <= 60 else f"{text[:57]}..."


def refuse_unknown(given: Iterable[str], known: Iterable[str], where: Where, what: str) -> None:
    """Raise `RecipeError` for a key that is none of the `known`, with the nearest of them."""
    names = sorted(known)
    for key in given:
        if key not in names:
            near = most_similar(key.casefold(), names)
            hint = f'did you mean "{near}"?' if near else f"known are {', '.join(names)}"
            raise where.error(key, f'"{shown(key)}" is not {what}; {hint}')


def text(value: Any, where: Where, key: str) -> str:
    """One line of plain text."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
        raise where.error(key, f'"{key}" must be a text in quotes, of 1 to {LONGEST} characters')
    if not is_line(value):
        raise where.error(key, f'"{key}" must be one line of plain text')
    return value


def answer(value: Any, where: Where, key: str) -> str:
    """A text with {label} in it."""
    checked = text(value, where, key)
    if LABEL not in checked:
        raise where.error(key, '"answer" must contain {label}, which becomes the class')
    if {"{", "}"} & set(checked.replace(LABEL, "")):
        raise where.error(key, '"answer" must hold no braces but those of {label}')
    return checked


def texts(value: Any, where: Where, key: str) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list):
        raise where.error(key, f'"{key}" must be a list of texts, like ["grizzly bear"]')
    return tuple(text(item, where, key) for item in value)


class Class(NamedTuple):
    """A class as the recipe has it."""

    queries: tuple[str, ...]
    name: str  # empty: none but the folder's


def classes(value: Any, where: Where, key: str) -> dict[str, Class]:
    """Class -> its searches and display name; at least two."""
    if not isinstance(value, dict) or len(value) < 2:
        raise where.error(key, "[classes] needs at least two classes to tell apart")
    where = replace(where, table=(key,))
    classes: dict[str, Class] = {}
    for name, given in value.items():
        try:
            folder = check_folder_name(name)
        except ValueError as error:
            raise where.error(name, f"a class cannot be named so: {error}") from None
        if folder.casefold() in {known.casefold() for known in classes}:
            raise where.error(name, f'the class "{name}" stands twice; upper case does not count')
        classes[folder] = _class(given, folder, where, name)
    return classes


def _class(value: Any, folder: str, where: Where, key: str) -> Class:
    """A class's searches: a text, a list, or a table of `search` and `name`."""
    name, searches = "", value
    if isinstance(value, dict):
        inside = replace(where, table=(*where.table, key))
        refuse_unknown(value, ("name", "search"), inside, "a setting of a class")
        if "name" in value:
            name = text(value["name"], inside, "name")
        searches = value.get("search", [])
        where, key = inside, "search"
    if isinstance(searches, str):
        searches = [searches]
    return Class(texts(searches, where, key) or (folder,), name)


def language(value: Any, where: Where, key: str) -> str:
    """One of `LANGUAGES`."""
    if isinstance(value, str) and value in LANGUAGES:
        return value
    near = nearest_language(value) if isinstance(value, str) else None
    hint = f'; did you mean "{near}"?' if near else ""
    known = ", ".join(LANGUAGES)
    raise where.error(key, f'"{shown(value)}" is not a language; known are {known}{hint}')


def words(value: Any, where: Where, key: str) -> dict[str, Translation]:
    """Language -> the translations of its table."""
    if not isinstance(value, dict):
        raise where.error(key, '"words" must be tables, such as [words.de]')
    where = replace(where, table=(key,))
    return {language(tag, where, tag): _translated(said, where, tag) for tag, said in value.items()}


def _translated(value: Any, where: Where, tag: str) -> Translation:
    if not isinstance(value, dict):
        raise where.error(tag, f'"{tag}" must be a table: [words.{tag}]')
    where = replace(where, table=(*where.table, tag))
    checks: dict[str, Any] = {
        "title": text, "prompt": text, "answer": answer, "classes": _display_names,
    }  # fmt: skip
    refuse_unknown(value, checks, where, "one of the words")
    return Translation(**{key: checks[key](said, where, key) for key, said in value.items()})


def _display_names(value: Any, where: Where, key: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise where.error(key, '"classes" must be a table of names, such as grizzly = "Grizzlybär"')
    where = replace(where, table=(*where.table, key))
    return {
        unicodedata.normalize("NFC", label): text(name, where, label)
        for label, name in value.items()
    }


def choice(*choices: str) -> Any:
    """A check that the value is one of these."""

    def check(value: Any, where: Where, key: str) -> Any:
        if value not in choices:
            raise where.error(
                key, f'"{key}" must be one of {", ".join(choices)}, not {shown(value)}'
            )
        return value

    return check


def number(low: float, high: float, kind: type = float) -> Any:
    """A check that the value is a number from `low` to `high`."""

    def check(value: Any, where: Where, key: str) -> Any:
        allowed = (int,) if kind is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed) or not low <= value <= high:
            whole = "a whole number" if kind is int else "a number"
            span = f"from {low:.10g} to {high:.10g}"
            raise where.error(key, f'"{key}" must be {whole} {span}, not {shown(value)}')
        return kind(value)

    return check


def flag(value: Any, where: Where, key: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise where.error(key, f'"{key}" must be true or false, not {shown(value)}')
    return value


def learning_rate(value: Any, where: Where, key: str) -> Any:
    """A number, or "find"."""
    if value == "find":
        return value
    if isinstance(value, str):
        raise where.error(key, '"learning_rate" must be a number such as 0.002, or "find"')
    return number(1e-6, 1.0)(value, where, key)


def image_size(value: Any, where: Where, key: str) -> int:
    """Pixels a side: a multiple of 32."""
    size = number(64, 512, int)(value, where, key)
    if size % 32:
        raise where.error(key, f'"image_size" must be a multiple of 32, such as 224, not {size}')
    return int(size)
