"""The kept pictures of a recipe, as fastai's DataBlock takes them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from kezako.errors import KezakoError
from kezako.manifest import Manifest, Row
from kezako.recipe import Recipe
from kezako.workspace import Workspace


class NoPictures(KezakoError):
    """There is not enough to train on; the message says what to do."""


def label_reader(recipe: Recipe) -> Callable[[Path], list[str]]:
    """The function that reads from a picture's folder which classes it shows.

    Plain and without annotations: DataBlock would bind a method to itself, and its transforms
    take a return annotation for a type to cast to.
    """
    return lambda path: list(recipe.labels_of(path.parent.name))


class Pictures:
    """What the manifest keeps for training, with the split that it recorded.

    `rows` and paths are as they were when this was made, whatever is cleaned meanwhile. Test
    pictures are among neither.
    """

    def __init__(self, recipe: Recipe, workspace: Workspace):
        self.recipe = recipe
        self.folder = workspace.folder(recipe.name)
        with Manifest(self.folder) as manifest:
            manifest.recover()
            rows = [row for row in manifest.kept() if self._belongs(row)]
            self.notes = manifest.notes()  # what to know before a figure is believed
        self.rows = [row for row in rows if row.split != "test"]
        self.test = [self._path(row) for row in rows if row.split == "test"]  # measured once
        self._valid = {self._path(row): row.split == "valid" for row in self.rows}
        self._check()

    @property
    def paths(self) -> list[Path]:
        """All pictures."""
        return list(self._valid)

    def is_valid(self, path: Path) -> bool:
        """Whether the manifest put a picture on the validation side; for `FuncSplitter`."""
        return self._valid[path]

    @property
    def train(self) -> list[Path]:
        return [path for path, valid in self._valid.items() if not valid]

    @property
    def valid(self) -> list[Path]:
        return [path for path, valid in self._valid.items() if valid]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Folder -> (training pictures, validation pictures)."""
        train = Counter(path.parent.name for path in self.train)
        valid = Counter(path.parent.name for path in self.valid)
        return {name: (train[name], valid[name]) for name in sorted(train | valid)}

    @property
    def batch_size(self) -> int:
        """64, or less where an epoch would have fewer than 16 steps, but no less than 8.

        Shared out where several processes train together, so that a step is the same step.
        """
        whole = max(8, min(64, len(self.train) // 16))
        return max(2, whole // int(os.environ.get("WORLD_SIZE", 1)))

    def _belongs(self, row: Row) -> bool:
        return row.folder in self.recipe.folders or (
            self.recipe.task == "multi"
            and set(self.recipe.labels_of(row.folder)) <= set(self.recipe.labels)
        )

    def _path(self, row: Row) -> Path:
        return self.folder / str(row.file)

    def _check(self) -> None:
        name = self.recipe.name
        for split in ("train", "valid"):
            seen = {
                label
                for row in self.rows
                if row.split == split
                for label in self.recipe.labels_of(row.folder)
            }
            if lacking := [label for label in self.recipe.labels if label not in seen]:
                raise NoPictures(
                    f"{', '.join(lacking)}: there are too few pictures to train on. Gather some "
                    f"with: kezako gather {name} --from FOLDER (or put them into "
                    f"{self.folder / 'pictures' / lacking[0]}, at least 10 a class)."
                )
