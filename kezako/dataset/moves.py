"""Move pictures to other classes or paths, in batches that can be undone.

A batch is one commit: all its rows, and a note of how each one was. Its files are renamed after
that, and `finish` completes the renames that a kill interrupted, so row and file never disagree
for long. To move files, hold the folder's lock.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from kezako.dataset.row import Row

Place = dict[str, Any]
_PLACE = ("folder", "status", "reason", "file", "mark", "url")

SCHEMA = """
CREATE TABLE IF NOT EXISTS move (
    id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, picture INTEGER NOT NULL,
    before TEXT NOT NULL,              -- where the picture was, as JSON
    source TEXT,                       -- the file to rename, until that is done
    undone INTEGER NOT NULL DEFAULT 0  -- the note goes when the file is back
);
"""


class Moves:
    """The batches of one manifest."""

    def __init__(
        self,
        db: sqlite3.Connection,  # with the tables of the manifest
        folder: Path,  # data/NAME
        transaction: Callable[[], AbstractContextManager[None]],
    ):
        self._db, self._folder, self._transaction = db, folder, transaction

    def write(self, rows: Iterable[Row]) -> None:
        """Write a batch: `rows` with their new class, file, status and mark; rename their files.

        (folder, url) is unique. If a row that is not kept has the new pair of one of `rows`, it
        takes that row's old class.
        """
        self.note(rows)
        self.finish()

    def note(self, rows: Iterable[Row]) -> None:
        """Like `write`, without the renames, for a commit that goes on; call `finish` after it."""
        with self._transaction():
            batch = self._last() + 1
            before = self._place({_id(row): _place_of(row) for row in rows})
            for picture, place in before.items():
                self._db.execute(
                    "INSERT INTO move (batch, picture, before, source) VALUES (?, ?, ?, ?)",
                    (batch, picture, json.dumps(place), place["file"]),
                )

    def undo(
        self,
        marks: bool,  # whether the marks come back as well
    ) -> int:
        """Undo the last batch; returns how many of its pictures were put back, 0 if there is none.

        A picture stays where it is if another picture of its old class has its URL by now.
        """
        with self._transaction():
            notes = {
                note["picture"]: {**json.loads(note["before"]), "id": note["id"]}
                for note in self._db.execute(
                    "SELECT * FROM move WHERE batch = ? AND NOT undone", (self._last(),)
                )
            }
            ids = {picture: place.pop("id") for picture, place in notes.items()}
            places = {
                picture: {**place, "mark": place["mark"] if marks else None}
                for picture, place in notes.items()
                if not self._is_taken(picture, place, notes)
            }
            self._find_room(places)
            before = self._place(places)
            for picture, note in ids.items():
                source = before[picture]["file"] if picture in places else None
                self._db.execute(
                    "UPDATE move SET undone = 1, source = ? WHERE id = ?", (source, note)
                )
        self.finish()
        return sum(place["file"] is not None for place in places.values())

    def finish(self) -> None:
        """Rename the files that are noted and not renamed yet."""
        notes = self._db.execute(
            "SELECT move.id, move.source, file FROM move JOIN picture ON picture.id = move.picture "
            "WHERE move.source IS NOT NULL ORDER BY move.id"
        ).fetchall()
        for note in notes:
            self._rename(note["source"], note["file"])
            self._db.execute("UPDATE move SET source = NULL WHERE id = ?", (note["id"],))
        self._db.execute("DELETE FROM move WHERE undone AND source IS NULL")

    def left(self) -> dict[int, set[str]]:
        """Ids of the pictures moved by batches that were not undone -> their earlier classes."""
        found: dict[int, set[str]] = {}
        for row in self._db.execute("SELECT picture, before FROM move WHERE NOT undone"):
            found.setdefault(row["picture"], set()).add(json.loads(row["before"])["folder"])
        return found

    def leaving(self) -> dict[int, str]:
        """Ids of pictures whose file may not have been renamed yet -> its old path."""
        found = self._db.execute("SELECT picture, source FROM move WHERE source IS NOT NULL")
        return {row["picture"]: row["source"] for row in found}

    def will_rename(self, file: str) -> bool:
        """Whether `file` is still to be renamed by a batch."""
        return bool(self._count("move WHERE source = ?", file))

    def can_undo(self) -> int:
        """How many pictures `undo` would put back."""
        notes = self._db.execute(
            "SELECT before FROM move WHERE batch = ? AND NOT undone", (self._last(),)
        )
        return sum(json.loads(note["before"])["file"] is not None for note in notes)

    def free(
        self,
        file: str,
        taken: Collection[str] = (),  # names that are reserved but not written yet
    ) -> str:
        """`file`, or a similar name that is free in the manifest and on disk."""
        path, number = PurePosixPath(file), 1
        while (
            file in taken
            or self._count("picture WHERE file = ?", file)
            or (self._folder / file).exists()
        ):
            number += 1
            file = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
        return file

    def _place(self, places: dict[int, Place]) -> dict[int, Place]:
        """Write `places` and move rows that they displace; returns where all were before."""
        before = {picture: self._where(picture) for picture in places}
        for picture, place in list(places.items()):
            for other in self._holders(place, places):
                before[other] = self._where(other)
                places[other] = {**before[other], "folder": before[picture]["folder"]}
        for picture in places:  # first clear both columns: each must stay unique
            self._db.execute("UPDATE picture SET file = NULL, url = NULL WHERE id = ?", (picture,))
        columns = ", ".join(f"{key} = :{key}" for key in _PLACE)
        for picture, place in places.items():
            values = {**place, "id": picture}
            self._db.execute(f"UPDATE picture SET {columns} WHERE id = :id", values)
        return before

    def _find_room(self, places: dict[int, Place]) -> None:
        """Choose other names for files whose old name is taken by now."""
        for picture, place in places.items():
            if place["file"] and place["file"] != self._where(picture)["file"]:
                place["file"] = self.free(place["file"])

    def _is_taken(self, picture: int, place: Place, places: Mapping[int, Place]) -> bool:
        return any(self._where(o)["status"] == "kept" for o in self._holders(place, places))

    def _holders(self, place: Place, besides: Mapping[int, Place]) -> list[int]:
        """Rows with the class and URL of `place`, except those that move themselves."""
        if place["url"] is None:
            return []
        found = self._db.execute(
            "SELECT id FROM picture WHERE folder = ? AND url = ?", (place["folder"], place["url"])
        )
        return [row["id"] for row in found if row["id"] not in besides]

    def _where(self, picture: int) -> Place:
        found = self._db.execute(
            f"SELECT {', '.join(_PLACE)} FROM picture WHERE id = ?", (picture,)
        ).fetchone()
        return dict(found)

    def _rename(self, source: str, file: str | None) -> None:
        if file is None or source == file:
            return
        (self._folder / file).parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # it was renamed before a kill
            rename(self._folder / source, self._folder / file)

    def _last(self) -> int:
        last = self._db.execute("SELECT max(batch) FROM move WHERE NOT undone").fetchone()[0]
        return last or 0

    def _count(self, where: str, value: object) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {where}", (value,)).fetchone()[0])


def rename(source: Path, target: Path) -> None:
    """Rename a file, also across disks: a class folder may be a link to another disk."""
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(f".{target.name}.part")
        shutil.copy2(source, part)
        os.replace(part, target)
        source.unlink()


def _id(row: Row) -> int:
    if row.id is None:
        raise ValueError("A picture must be in the manifest before it can move.")
    return row.id


def _place_of(row: Row) -> Place:
    return {key: getattr(row, key) for key in _PLACE}
