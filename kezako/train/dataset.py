"""The kept pictures of a recipe, for fastai's DataBlock."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from shlex import quote

from kezako.dataset import split
from kezako.dataset.manifest import Manifest
from kezako.dataset.readiness import NotReady, too_few
from kezako.dataset.row import Row
from kezako.errors import KezakoError
from kezako.recipe import Recipe
from kezako.train.links import Links
from kezako.workspace import Workspace

TRIES = 3  # to see all pictures in one state, while another process moves some


def label_reader(recipe: Recipe) -> Callable[[Path], list[str]]:
    """A function that reads from a picture's folder which classes it shows, for `get_y`.

    It is a lambda without annotations: DataBlock would bind a method to itself, and fastai's
    transforms cast to a return annotation.
    """
    return lambda path: list(recipe.labels_of(path.parent.name))


class Pictures:
    """The pictures that the manifest keeps for training, with its split.

    `rows` and files stay as they were when this object was made, even if pictures are cleaned in
    the meantime: the paths are hard links (see `Links`), or the pictures themselves if the file
    system has no links. Test pictures are in `test` only. Pictures that show none of the classes of
    a single-label recipe are in `something_else` or `something_else_test` only: no model is trained
    on them. Raises `NotReady` if a class has too few pictures.
    """

    def __init__(self, recipe: Recipe, workspace: Workspace):
        self.recipe = recipe
        self.folder = workspace.folder(recipe.name)
        self.bundle = workspace.bundle(recipe.name)
        self.notes: list[str] = []  # what to know before you trust a figure
        rows, paths = self._collect()
        both = list(zip(rows, paths, strict=True))
        trained = [(row, path) for row, path in both if recipe.trains_on(row.folder)]
        # Measured once, after training.
        self.test = [path for row, path in trained if row.split == "test"]
        self.rows = [row for row, _ in trained if row.split != "test"]
        self._valid = {path: row.split == "valid" for row, path in trained if row.split != "test"}
        others = [(row, path) for row, path in both if not recipe.trains_on(row.folder)]
        # These set the limit of "none of these"; the others only test it.
        self.something_else = [path for row, path in others if row.split != "test"]
        self.something_else_test = [path for row, path in others if row.split == "test"]
        self._check()

    @property
    def paths(self) -> list[Path]:
        """All pictures, in the order of `rows`."""
        return list(self._valid)

    def is_valid(self, path: Path) -> bool:
        """Whether a picture is in the validation set; for `FuncSplitter`."""
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
        """64, or less so that an epoch has at least 16 steps, but at least 8.

        In distributed training it is divided among the processes, so that a step stays the same.
        """
        whole = max(8, min(64, len(self.train) // 16))
        return max(2, whole // int(os.environ.get("WORLD_SIZE", 1)))

    def _collect(self) -> tuple[list[Row], list[Path]]:
        """The rows and the paths of their pictures; rows whose file is gone are left out."""
        for number in range(1, TRIES + 1):
            rows = self._read()
            links = None
            try:
                links = Links(self.folder)
                found = links.take(rows)
            except (OSError, KezakoError):
                if links:
                    links.delete()
                return rows, [self.folder / str(row.file) for row in rows]
            if len(found) == len(rows):
                break
            if number < TRIES:  # some were moved between reading and linking
                links.delete()
        rows = [row for row in rows if row.id in found]
        return rows, [found[row.id or 0] for row in rows]

    def _read(self) -> list[Row]:
        with Manifest(self.folder, read_only=True) as manifest:
            self.notes = split.notes(manifest)
            self._tried = manifest.rows()
            return [row for row in manifest.on_disk() if self.recipe.has_folder(row.folder)]

    def _check(self) -> None:
        if told := too_few(self.recipe, self.rows, self._tried):
            raise NotReady(told)
        for side, use in (("train", "to learn from"), ("valid", "to judge by")):
            seen = {
                label
                for row in self.rows
                if row.split == side
                for label in self.recipe.labels_of(row.folder)
            }
            if lacking := [label for label in self.recipe.labels if label not in seen]:
                raise NotReady(
                    f"{', '.join(lacking)}: no picture is left {use}, because all of them look "
                    "alike, and pictures that look alike stay on one side of the split. Gather "
                    f"others with: kezako gather {quote(self.recipe.name)} --from FOLDER"
                )
