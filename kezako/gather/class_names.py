"""Which class a folder's name means, and which set of a given split its pictures belong to."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kezako.errors import KezakoError
from kezako.gather.archive import Folders
from kezako.names import as_shown, most_similar, spelling
from kezako.recipe import LABEL_SEPARATOR, NEITHER, Recipe

if TYPE_CHECKING:
    from kezako.dataset.row import Split

# In the form that `spelling` gives; the usual folder names of datasets on the web.
SIDES: Mapping[str, Split] = {
    "train": "train", "training": "train",
    "valid": "valid", "val": "valid", "validation": "valid",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where the pictures of one folder belong."""

    folder: str  # the class: a folder under `pictures/`
    side: Split | None = None  # the set that the folders name
    passed: tuple[str, ...] = ()  # other classes named by the folders around it


class ClassNames:
    """All names of a recipe's classes: a class's own name, its display name, its searches."""

    def __init__(self, recipe: Recipe):
        self._recipe = recipe
        named = {folder: (folder, *queries) for folder, queries in recipe.folders.items()}
        named.setdefault(recipe.none_folder, (recipe.none_folder,))
        self._exact = {name: name for name in named}
        self._spelt: dict[str, str] = {}
        self._shared: dict[str, list[str]] = {}  # spelling -> the classes that it could mean
        self._learn({name: (name,) for name in named})
        self._learn({name: (shown,) for name, shown in recipe.names.items()})
        self._learn(named)

    def _learn(self, named: Mapping[str, Iterable[str]]) -> None:
        meant: dict[str, set[str]] = defaultdict(set)
        for folder, names in named.items():
            for name in names:
                meant[spelling(name)].add(folder)
        for spelt, folders in meant.items():
            if spelt in self._spelt or spelt in self._shared:
                continue  # a class's own name comes before another class's search
            if len(folders) == 1:
                self._spelt[spelt] = next(iter(folders))
            else:
                self._shared[spelt] = sorted(folders)

    def find(self, name: str) -> str | None:
        """The folder in `pictures/` that `name` means, in any spelling; None if it is no class.

        In a multi-label recipe "Dog+cat" means "cat+dog". Pictures that show none of the classes
        have a folder of their own: "neither" in a multi-label recipe, else "something-else".
        """
        if (one := self._one(name)) or self._recipe.task == "single":
            return one
        labels = {self._one(part) for part in name.split(LABEL_SEPARATOR)}
        if labels & {None, NEITHER}:
            return None
        return LABEL_SEPARATOR.join(sorted(filter(None, labels)))

    def _one(self, name: str) -> str | None:
        exact = self._exact.get(unicodedata.normalize("NFC", name))
        return exact or self._spelt.get(spelling(name))

    def sharing(self, name: str) -> list[str]:
        """The classes that share `name`, which is therefore ambiguous."""
        return self._shared.get(spelling(name), [])

    def nearest(self, name: str) -> str | None:
        """The class with a name or search that is most similar to `name`; None if none is close."""
        near = most_similar(spelling(name), self._spelt)
        return self._spelt[near] if near else None

    def places(
        self,
        paths: Collection[Folders],  # the folders of all files in one box
        folder: str | None = None,  # one class for all, whatever the folders are called
        at_home: bool = False,  # in `pictures/`, where the outermost folder is always a class
    ) -> dict[Folders, Place]:
        """Path -> its place, for each path that belongs to a class.

        The innermost folder that fits a class counts. Outside `pictures/`, a folder that contains
        another class's folder is a container: files in its other sub-folders do not belong to its
        class.
        """
        if folder is not None:
            return {path: Place(folder, _side(path)) for path in paths}
        depths = {path: depth for path in paths if (depth := self._depth(path))}
        containers = {
            path[:outer]
            for path, depth in depths.items()
            for outer in range(1, depth)
            if self.find(path[outer - 1]) not in (None, self.find(path[depth - 1]))
        }
        return {
            path: self._place(path, depth)
            for path, depth in depths.items()
            if at_home or not (path[:depth] in containers and _only_passing(path, depth))
        }

    def _depth(self, path: Folders) -> int:
        """The depth of the innermost folder that fits a class; 0 if none does."""
        fitting = (depth for depth in range(len(path), 0, -1) if self.find(path[depth - 1]))
        return next(fitting, 0)

    def _place(self, path: Folders, depth: int) -> Place:
        folder = str(self.find(path[depth - 1]))
        around = [self.find(name) for name in path[: depth - 1]]
        passed = tuple(dict.fromkeys(name for name in around if name not in (None, folder)))
        return Place(folder, _side((*path[: depth - 1], *path[depth:])), passed)


def class_named(recipe: Recipe, name: str) -> str:
    """Like `ClassNames.find`, for a name that the user typed. Raises `KezakoError`."""
    names = ClassNames(recipe)
    if (found := names.find(name)) is None:
        near = names.nearest(name)
        hint = f'did you mean "{near}"? ' if near else ""
        raise KezakoError(
            f'"{as_shown(name)}" is no class of {recipe.name}; {hint}'
            f"its classes are {', '.join(recipe.folders)}."
        )
    return found


def _side(path: Folders) -> Split | None:
    return next((SIDES[spelt] for name in path if (spelt := spelling(name)) in SIDES), None)


def _only_passing(path: Folders, depth: int) -> bool:
    """Whether a path that leads through a container is not meant for the container's class."""
    return len(path) > depth or spelling(path[depth - 1]) in SIDES
