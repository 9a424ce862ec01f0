"""Pictures of the same photo, side by side: near-duplicates, crops, conflicts between classes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from matplotlib.figure import Figure

from kezako.clean.copies import groups_of
from kezako.clean.suspects import in_short, look
from kezako.clean.tiles import GREY, RED, Tile, draw_tiles
from kezako.dataset.row import Row
from kezako.recipe import Recipe
from kezako.workspace import Workspace

ABREAST = 4  # pictures shown per photo
SHOWN = 12  # photos shown, most harmful first
SIDES = {"train": "training", "valid": "validation", "test": "test"}


@dataclass(frozen=True)
class Copies:
    """Two or more pictures of the same photo."""

    rows: tuple[Row, ...]

    @property
    def conflict(self) -> bool:
        """Whether they are in several classes."""
        return len({row.folder for row in self.rows}) > 1

    @property
    def leak(self) -> bool:
        """Whether they are in both training and validation."""
        return {row.split for row in self.rows} >= {"train", "valid"}


class Gallery:
    """Every photo that is there more than once."""

    def __init__(self, recipe: Recipe, workspace: Workspace):
        """Raises `KezakoError` if there are too few pictures to compare."""
        rows, _, features = look(recipe, workspace)
        found: dict[int, list[Row]] = defaultdict(list)
        for number, row in zip(groups_of(rows, features.copies), rows, strict=True):
            found[int(number)].append(row)
        several = [Copies(tuple(held)) for held in found.values() if len(held) > 1]
        self.copies = sorted(several, key=lambda copies: (not copies.conflict, not copies.leak))
        self._folder, self._name = workspace.folder(recipe.name), recipe.name
        self._names = recipe.labels
        self._valid = sum(row.split == "valid" for row in rows)

    def __str__(self) -> str:
        """What was found, and what you can do about it."""
        if not self.copies:
            return "No photo is held twice."
        extra = sum(len(copies.rows) - 1 for copies in self.copies)
        said = [f"{_photos(len(self.copies))} more than once, {_pictures(extra)} too many."]
        if conflicts := sum(copies.conflict for copies in self.copies):
            said.append(
                f"{_photos(conflicts)} under several classes, of which only one can be right."
            )
        if leaked := len(self.leaked):
            said.append(
                f"{leaked} of {self._valid} validation pictures show a photo that is in training "
                "as well: that the model knows them says nothing of new pictures. No picture "
                "changes its side by itself, because a retrain is compared on the same pictures. "
                f"Set those aside in the cleaner (`kezako clean {self._name} --open`), where they "
                "are among the suspects."
            )
        return " ".join(said)

    @property
    def leaked(self) -> list[Row]:
        """The validation pictures that are in training, too."""
        return [
            row
            for copies in self.copies
            if copies.leak
            for row in copies.rows
            if row.split == "valid"
        ]

    def show(self) -> Figure | None:
        """One line per photo, in red if its pictures conflict or leak; None if there are none."""
        lines = [self._line(copies) for copies in self.copies[:SHOWN]]
        return draw_tiles(lines, max(map(len, lines)), self._names) if lines else None

    def _line(self, copies: Copies) -> list[Tile]:
        odd = copies.conflict or copies.leak
        return [
            Tile(
                self._folder / str(row.file),
                f"{in_short(row)}\n{SIDES.get(str(row.split), '')}",
                RED if odd else GREY,
            )
            for row in copies.rows[:ABREAST]
        ]


def _photos(count: int) -> str:
    return "1 photo is held" if count == 1 else f"{count} photos are held"


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"
