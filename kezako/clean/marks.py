"""Marks: decisions of a person, or of the strict rule; applied and undone in batches.

A mark is a column of the picture's row and is committed at once. Applying marks moves files:
deleted ones to `data/NAME/removed/CLASS/`, others to `pictures/OTHER/`. No file is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import PurePosixPath

from kezako.dataset import split
from kezako.dataset.corrections import offered_folder
from kezako.dataset.manifest import FILE, Manifest, changing
from kezako.dataset.row import Row
from kezako.errors import KezakoError
from kezako.pictures import open_picture, perceptual_hash
from kezako.recipe import Recipe, check_folder_name
from kezako.workspace import Workspace

KEEP, DELETE, MOVE = "keep", "delete", "move:"  # MOVE is followed by a folder


@dataclass(frozen=True)
class Applied:
    """What one batch did."""

    deleted: tuple[Row, ...] = ()  # now in removed/
    moved: tuple[Row, ...] = ()  # now in another class
    accepted: tuple[Row, ...] = ()  # visitors' corrections, now pictures
    notes: tuple[str, ...] = ()  # a sentence for each mark that could not be applied

    @property
    def rows(self) -> tuple[Row, ...]:
        """All pictures whose file was moved."""
        return self.deleted + self.moved + self.accepted

    def __str__(self) -> str:
        done = [
            f"{len(rows)} {what}"
            for rows, what in (
                (self.deleted, "set aside"),
                (self.moved, "moved to another class"),
                (self.accepted, "taken in from visitors"),
            )
            if rows
        ]
        return " ".join([", ".join(done) + "." if done else "Nothing was marked.", *self.notes])


def set_mark(manifest: Manifest, row: Row, mark: str | None) -> None:
    """Mark a picture "keep", "delete" or "move:FOLDER"; None removes the mark.

    Committed when it returns. Raises `KezakoError` for another mark, and for a picture that was
    removed in the meantime.
    """
    if mark and mark.startswith(MOVE):
        target = check_folder_name(mark.removeprefix(MOVE))
        if target == row.folder and row.status == "kept":
            raise KezakoError(f"The picture is in {target} already; choose another class, or keep.")
        mark = MOVE + target
    elif mark not in (None, KEEP, DELETE):
        raise KezakoError(f'A mark is "keep", "delete" or "move:CLASS", not {mark!r}.')
    with manifest.transaction():
        now = manifest.rows(id=row.id)
        if not now or now[0].status not in ("kept", "offered"):
            raise KezakoError("This picture is no longer there; load the page again.")
        manifest.set_mark(row, mark)


def is_pending(row: Row) -> bool:
    """Whether `apply_marks` would do something with this picture."""
    if row.status not in ("kept", "offered") or not row.mark:
        return False
    if row.status == "offered":
        return True
    return row.mark == DELETE or (row.mark.startswith(MOVE) and row.mark != MOVE + row.folder)


def apply_marks(
    recipe: Recipe,
    workspace: Workspace,
    only: Iterable[int] | None = None,  # ids of the rows to apply; None: all that are marked
) -> Applied:
    """Move the files of marked pictures in one transaction: all of them, or none if killed before
    it.

    Training, validation and test sets do not change. Raises `KezakoError` while pictures are being
    gathered.
    """
    chosen = None if only is None else set(only)
    with alone(recipe, workspace) as manifest:
        with manifest.transaction():  # else a mark set in the meantime would be lost
            plan = _Plan(recipe, manifest)
            for row in manifest.rows():
                if is_pending(row) and (chosen is None or row.id in chosen):
                    plan.take(row)
            if plan.rows:
                manifest.moves.note(plan.rows)
        manifest.moves.finish()
        split.group(manifest)  # only for accepted corrections; others keep their group
        split.divide(manifest, recipe, mend=False)
    return plan.applied()


def undo(
    recipe: Recipe,
    workspace: Workspace,
    marks: bool = False,  # True: the pictures are marked again, ready to be applied
) -> int:
    """Undo the last batch; call it again for the one before. Returns how many pictures moved."""
    with alone(recipe, workspace) as manifest:
        return manifest.moves.undo(marks)


def alone(recipe: Recipe, workspace: Workspace) -> AbstractContextManager[Manifest]:
    """The manifest with its folder locked, for a `with` block. Raises `KezakoError`."""
    folder = workspace.folder(recipe.name)
    if not (folder / FILE).is_file():
        raise KezakoError(
            f"{recipe.name} has no pictures yet. Gather some with: kezako gather {recipe.name}"
        )
    return changing(folder)


class _Plan:
    """Decides where each marked picture goes."""

    def __init__(self, recipe: Recipe, manifest: Manifest):
        self._recipe, self._manifest = recipe, manifest
        self.rows: list[Row] = []
        self._deleted: list[Row] = []
        self._moved: list[Row] = []
        self._accepted: list[Row] = []
        self._notes: list[str] = []
        self._taken: set[str] = set()
        self._kept = {(row.folder, key): row for row in manifest.kept() for key in _keys(row)}

    def take(self, row: Row) -> None:
        """Decide about one row and change it."""
        mark = str(row.mark)
        if row.status == "offered":
            row.folder = offered_folder(self._recipe, row)
        target = mark.removeprefix(MOVE) if mark.startswith(MOVE) else row.folder
        if mark == DELETE:
            self._remove(row, "removed while cleaning")
        elif not self._recipe.has_folder(target):
            self._notes.append(
                f"{target!r} is no class of {self._recipe.name}: picture {row.id} stays where it "
                f"is; move it to a class or to {self._recipe.none_folder}, or delete it."
            )
        elif row.status == "offered":
            self._accept(row, target)
        else:
            self._move(row, target)

    def applied(self) -> Applied:
        return Applied(
            tuple(self._deleted), tuple(self._moved), tuple(self._accepted), tuple(self._notes)
        )

    def _move(self, row: Row, target: str) -> None:
        if self._set_aside_as_copy(row, target):
            return
        for key in _keys(row):
            self._kept.pop((row.folder, key), None)
        row.folder = target
        self._put(row, f"pictures/{target}")
        self._moved.append(row)

    def _accept(self, row: Row, target: str) -> None:
        picture = open_picture(self._manifest.folder / str(row.file))
        row.phash = perceptual_hash(picture)
        self._manifest.update(row)  # the hash of the file that is there; the batch writes the rest
        if self._set_aside_as_copy(row, target):
            return
        row.folder, row.status, row.mark = target, "kept", MOVE + target
        row.reason = None
        self._put(row, f"pictures/{target}")
        self._accepted.append(row)

    def _set_aside_as_copy(self, row: Row, target: str) -> bool:
        """Set aside a picture that would be in its class twice."""
        twins = (self._kept.get((target, key)) for key in _keys(row))
        twin = next((twin for twin in twins if twin and twin.id != row.id), None)
        if twin:
            self._remove(row, f"same picture: it is in {target} already")
        return twin is not None

    def _remove(self, row: Row, reason: str) -> None:
        for key in _keys(row):
            self._kept.pop((row.folder, key), None)
        # A label from a visitor is never used as a path.
        place = "corrections" if row.status == "offered" else row.folder
        row.status, row.reason = "removed", reason
        self._put(row, f"removed/{place}")
        self._deleted.append(row)

    def _put(self, row: Row, folder: str) -> None:
        name = PurePosixPath(str(row.file)).name
        row.file = self._manifest.moves.free(f"{folder}/{name}", self._taken)
        self._taken.add(row.file)
        if row.status == "kept":
            self._kept.update({(row.folder, key): row for key in _keys(row)})
        self.rows.append(row)


def _keys(row: Row) -> list[str]:
    """Keys that only copies of the same picture share."""
    return [key for key in (row.sha256, row.phash, row.url) if key]
