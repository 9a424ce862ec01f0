"""The cleaner without widgets: which pictures to show, in which order, and what was decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kezako.clean.marks import DELETE, KEEP, MOVE, Applied, apply_marks, is_pending, set_mark, undo
from kezako.dataset.corrections import offered_folder
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.recipe import LABEL_SEPARATOR, Recipe
from kezako.workspace import Workspace

SHOWN: dict[str, Callable[[Row], bool]] = {
    "all pictures": lambda row: True,
    "not looked at yet": lambda row: row.mark is None,
    "marked": is_pending,
    "training": lambda row: row.status == "kept" and row.split not in ("valid", "test"),
    "validation": lambda row: row.split == "valid",
    "test": lambda row: row.split == "test",
    "visitors' corrections": lambda row: row.status == "offered",
}


_Marks = list[tuple[Row, str | None]]  # pictures, each with its mark before


class Suspected(Protocol):
    """A picture that a check found suspicious."""

    @property
    def row(self) -> Row: ...
    @property
    def score(self) -> float: ...  # higher is worse
    @property
    def reasons(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Item:
    """One picture to look at."""

    row: Row
    reasons: tuple[str, ...] = ()


class Review:
    """The pictures of one recipe; every decision is in the manifest when the call returns."""

    def __init__(self, recipe: Recipe, workspace: Workspace, suspects: Iterable[Suspected] = ()):
        self.recipe, self._workspace = recipe, workspace
        self.folder = workspace.folder(recipe.name)
        self._done: list[_Marks | None] = []  # for `undo`; None: marks were applied
        self.rank(suspects)

    def rank(self, suspects: Iterable[Suspected]) -> None:
        """Put `suspects` before the other pictures, worst first."""
        worst_first = sorted(suspects, key=lambda suspect: -suspect.score)
        self._reasons = {suspect.row.id: tuple(suspect.reasons) for suspect in worst_first}
        self._place = {picture: place for place, picture in enumerate(self._reasons)}

    def items(
        self,
        folder: str | None = None,  # a class; None: all
        shown: str = "all pictures",  # a key of `SHOWN`
    ) -> list[Item]:
        """Corrections of visitors first, then suspects, worst first, then the rest by class."""
        rows = [row for row in self._rows() if folder in (None, row.folder) and SHOWN[shown](row)]
        rows.sort(key=self._order)
        return [Item(row, self._why(row)) for row in rows]

    def classes(self) -> dict[str, int]:
        """Every folder that may have pictures -> their number, including corrections."""
        counts = Counter(row.folder for row in self._rows())
        return {name: counts[name] for name in [*self.targets(), *sorted(counts)]}

    def targets(self) -> list[str]:
        """The folders that a picture can be moved to."""
        folders = dict.fromkeys([*self.recipe.folders, self.recipe.none_folder])
        if self.recipe.task == "multi":
            with Manifest(self.folder, read_only=True) as manifest:
                found = sorted({row.folder for row in manifest.kept()})
            folders |= dict.fromkeys(f for f in found if LABEL_SEPARATOR in f)
        return list(folders)

    def mark(self, rows: Iterable[Row], mark: str | None) -> None:
        """Mark pictures; `undo` reverts them together. Raises `KezakoError` if one is gone."""
        done: _Marks = []
        with Manifest(self.folder) as manifest, manifest.transaction():
            for row in rows:
                before = row.mark
                set_mark(manifest, row, mark)
                done.append((row, before))
        if done:
            self._done.append(done)

    def counts(self) -> dict[str, int]:
        """How many pictures are marked "delete", "move", "accept" (corrections) and "keep"."""
        found = Counter(_kind(row) for row in self._rows())
        return {kind: found[kind] for kind in ("delete", "move", "accept", "keep")}

    def apply(self) -> Applied:
        """Apply the marks to the files. Raises `KezakoError` while pictures are being gathered."""
        applied = apply_marks(self.recipe, self._workspace)
        if applied.rows:
            self._done.append(None)
        return applied

    def undo(self) -> str:
        """Undo the last action; returns a sentence that says what it was. Raises `KezakoError`."""
        done = self._done.pop() if self._done else None
        if done is not None:
            with Manifest(self.folder) as manifest, manifest.transaction():
                for row, before in done:
                    manifest.set_mark(row, before)
            return "The last mark is taken back."
        back = undo(self.recipe, self._workspace, marks=True)
        return f"{back} pictures are back, and marked as before." if back else "Nothing to undo."

    def can_undo(self) -> bool:
        if self._done:
            return True
        with Manifest(self.folder, read_only=True) as manifest:
            return manifest.moves.can_undo() > 0

    def _rows(self) -> list[Row]:
        with Manifest(self.folder, read_only=True) as manifest:
            offered, kept = manifest.rows(status="offered"), manifest.kept()
        for row in offered:
            row.folder = offered_folder(self.recipe, row)
        return [*offered, *kept]

    def _order(self, row: Row) -> tuple[bool, int, str, int]:
        last = len(self._place)
        return (
            row.status != "offered", self._place.get(row.id, last), row.folder, row.id or 0
        )  # fmt: skip

    def _why(self, row: Row) -> tuple[str, ...]:
        if row.status == "offered":
            return (row.reason,) if row.reason else ()
        return self._reasons.get(row.id, ())


def _kind(row: Row) -> str | None:
    if row.mark == KEEP or not is_pending(row):
        return ("accept" if row.status == "offered" else "keep") if row.mark == KEEP else None
    if row.mark == DELETE:
        return "delete"
    return "accept" if row.status == "offered" else "move"


def words(row: Row) -> str:
    """What is decided about a picture, for people; empty if nothing is."""
    mark = row.mark or ""
    if mark == DELETE:
        return "to be set aside"
    if mark == KEEP:
        return "to be taken in" if row.status == "offered" else "kept"
    target = mark.removeprefix(MOVE)
    if row.status == "kept" and target == row.folder:
        return "moved here"
    return f"to {target}" if target else ""
