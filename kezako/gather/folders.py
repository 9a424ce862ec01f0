"""Which class a folder's name stands for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from kezako.errors import KezakoError
from kezako.recipe import LABEL_SEPARATOR, NEITHER, Recipe


def class_folder(recipe: Recipe, name: str) -> str | None:
    """The folder under `pictures/` that `name` means, however it is spelt; None for no class.

    In a multi-label recipe "Dog+cat" means "cat+dog", and "neither" is a folder of its own.
    """
    by_spelling = {_plain(known): known for known in recipe.classes}
    if recipe.task == "single":
        return by_spelling.get(_plain(name))
    if _plain(name) == NEITHER:
        return NEITHER
    labels = {by_spelling.get(_plain(part)) for part in name.split(LABEL_SEPARATOR)}
    return None if None in labels else LABEL_SEPARATOR.join(sorted(filter(None, labels)))


def class_among(recipe: Recipe, parts: Iterable[str]) -> str | None:
    """The class that the first fitting folder of a path means; outer folders come first."""
    return next(filter(None, (class_folder(recipe, part) for part in parts)), None)


def class_named(recipe: Recipe, name: str) -> str:
    """Like `class_folder`, for a name that a person gave. Raises `KezakoError`."""
    if (found := class_folder(recipe, name)) is None:
        raise KezakoError(
            f'"{name}" is no class of {recipe.name}; its classes are {", ".join(recipe.folders)}.'
        )
    return found


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
