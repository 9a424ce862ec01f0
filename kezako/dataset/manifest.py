"""The manifest: one row per picture, with its origin, its status and the reason, in SQLite.

Storing a picture survives a kill at any point: its bytes go to `incoming/`, its row is committed,
then the file is renamed into `pictures/`. To move files, hold the folder's lock with `changing`,
which first finishes or undoes what a kill interrupted. A mark or a visitor's correction is one
commit and needs no lock. To read only, open the manifest with `read_only=True`.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from kezako.dataset.moves import SCHEMA as MOVES_SCHEMA
from kezako.dataset.moves import Moves
from kezako.dataset.row import Row
from kezako.errors import KezakoError, of_database
from kezako.lock import locked

CORRECTIONS = "corrections"  # the folder of offered pictures, below data/NAME
FILE = "manifest.db"
PATIENCE = 30.0  # seconds for another process's commit


_COLUMNS = tuple(field.name for field in fields(Row))
_SCHEMA = """
CREATE TABLE IF NOT EXISTS picture (
    folder TEXT NOT NULL, status TEXT NOT NULL, reason TEXT, url TEXT, file TEXT UNIQUE,
    source TEXT, query TEXT, page TEXT, title TEXT, licence TEXT, creator TEXT, fetched_at TEXT,
    sha256 TEXT, phash TEXT, width INTEGER, height INTEGER, near INTEGER, split TEXT, mark TEXT,
    id INTEGER PRIMARY KEY,
    UNIQUE (folder, url)
);
CREATE INDEX IF NOT EXISTS picture_sha256 ON picture (sha256);
CREATE INDEX IF NOT EXISTS picture_status ON picture (folder, status);
"""


class ManifestError(KezakoError):
    """The manifest cannot be read or written; the message says why."""


@contextmanager
def changing(folder: Path) -> Iterator[Manifest]:
    """Lock `data/NAME` and yield its manifest, after `recover`.

    Raises `KezakoError` if another process holds the lock; the message says what it does.
    """
    with locked(folder, inside=True), Manifest(folder) as manifest:
        manifest.recover()
        yield manifest


class Manifest:
    """The rows of `data/NAME/manifest.db`; every write is committed when the call returns.

    A `with` block raises `ManifestError` if the file is damaged or locked, or the disk is full.
    """

    def __init__(
        self,
        folder: Path,  # data/NAME
        read_only: bool = False,  # changes and repairs nothing; a missing file has no rows
        patience: float = PATIENCE,
    ):
        self.folder = folder
        self.incoming = folder / "incoming"
        with self._told():
            path = folder / FILE
            self._db = _open(path, patience) if read_only else _made(path, patience)
        self.moves = Moves(self._db, folder, self.transaction)

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._db.close()
        if isinstance(error, sqlite3.Error):
            with self._told():
                raise error

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if told := of_database(error, self.folder / FILE, [self.folder]):
                raise ManifestError(told) from error
            raise

    def rows(self, **where: Any) -> list[Row]:
        """All rows whose columns equal `where`, oldest first."""
        clause = " AND ".join(f"{_column(key)} IS ?" for key in where) or "1"
        found = self._db.execute(
            f"SELECT * FROM picture WHERE {clause} ORDER BY id", tuple(where.values())
        )
        return [Row(**dict(row)) for row in found]

    def kept(self) -> list[Row]:
        """The pictures that training may use."""
        return self.rows(status="kept")

    def on_disk(self) -> list[Row]:
        """The kept rows whose file is there now, each with its current path.

        The other files were deleted by hand; `recover` notes that when the folder is next changed.
        """
        rows, leaving = self.kept(), self.moves.leaving()
        for row in rows:
            if row.id in leaving and not (self.folder / str(row.file)).is_file():
                row.file = leaving[row.id]  # being moved to another class
        return [row for row in rows if (self.folder / str(row.file)).is_file()]

    def pending(self, folder: str) -> Iterator[Row]:
        """The URLs of `folder` that were not tried yet, oldest first, fetched in batches."""
        last = 0
        query = (
            "SELECT * FROM picture WHERE folder = ? AND status = 'pending' AND id > ? "
            "ORDER BY id LIMIT 200"
        )
        while found := self._db.execute(query, (folder, last)).fetchall():
            yield from (Row(**dict(row)) for row in found)
            last = found[-1]["id"]

    def counts(self) -> dict[str, Counter[str]]:
        """Folder -> number of rows by status."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        query = "SELECT folder, status, count(*) AS n FROM picture GROUP BY folder, status"
        for row in self._db.execute(query):
            found[row["folder"]][row["status"]] = row["n"]
        return dict(found)

    def add(self, row: Row) -> bool:
        """Write a new row and set its id; False if (folder, url) is known already."""
        values = {key: _storable(getattr(row, key)) for key in _COLUMNS if key != "id"}
        cursor = self._db.execute(
            f"INSERT INTO picture ({', '.join(values)}) VALUES ({_marks(values)}) "
            "ON CONFLICT (folder, url) DO NOTHING",
            tuple(values.values()),
        )
        if cursor.rowcount:
            row.id = cursor.lastrowid
        return bool(cursor.rowcount)

    def add_all(self, rows: Iterable[Row]) -> int:
        """Write all new rows, or none if killed; returns how many were new."""
        with self.transaction():
            return sum(self.add(row) for row in rows)

    def update(
        self,
        row: Row,
        *columns: str,  # only these are written, as `row` may be stale; none given: all
    ) -> None:
        """Update a row that has an id."""
        wanted = (_column(key) for key in columns or _COLUMNS if key != "id")
        values = {key: _storable(getattr(row, key)) for key in wanted}
        assignments = ", ".join(f"{key} = ?" for key in values)
        self._db.execute(
            f"UPDATE picture SET {assignments} WHERE id = ?", (*values.values(), row.id)
        )

    def set_mark(self, row: Row, mark: str | None) -> None:
        """Write only the mark."""
        row.mark = mark
        self.update(row, "mark")

    def store(self, row: Row, jpeg: bytes) -> None:
        """Keep a picture: write its bytes and save `row` (with or without an id) as `kept`."""
        name = f"{row.sha256}.jpg"
        self.incoming.mkdir(exist_ok=True)
        staged = self.incoming / f"{row.folder}~{name}"
        staged.write_bytes(jpeg)
        row.status, row.reason = "kept", None
        row.file = f"pictures/{row.folder}/{name}"
        with self.transaction():
            # A picture with this file that was missing has come back as this row.
            self._db.execute(
                "UPDATE picture SET file = NULL WHERE file = ? AND status = 'missing' "
                "AND id IS NOT ?",
                (row.file, row.id),
            )
            if row.id is None:
                self.add(row)
            else:
                self.update(row)
        self._move_in(staged, row.file)

    def recover(self) -> None:
        """Finish or undo what a kill interrupted; mark rows whose file was deleted.

        The caller must hold the folder's lock, so that no other process is changing it.
        """
        for staged in self.incoming.glob("*~*") if self.incoming.is_dir() else ():
            folder, name = staged.name.rsplit("~", 1)
            file = f"pictures/{folder}/{name}"
            if self.rows(file=file, status="kept"):
                self._move_in(staged, file)
            else:
                staged.unlink()
        self.moves.finish()
        self._sweep_corrections()
        for row in self.kept():
            if not (self.folder / str(row.file)).is_file():
                row.status, row.reason = "missing", "its file is gone from the folder"
                self.update(row, "status", "reason")

    def place(self, rows: Iterable[Row]) -> None:
        """Write only group, side, status and reason of rows that have an id."""
        with self.transaction():
            for row in rows:
                self.update(row, "near", "split", "status", "reason")

    def transaction(self) -> _Transaction:
        """Commit all writes of the block at its end, or none if it fails."""
        return _Transaction(self._db)

    def _sweep_corrections(self) -> None:
        # A kill before the commit left a visitor's picture without a row.
        with self.transaction():
            for path in (self.folder / CORRECTIONS).glob("*"):
                file = f"{CORRECTIONS}/{path.name}"
                if not (self.rows(file=file) or self.moves.will_rename(file)):
                    path.unlink()

    def _move_in(self, staged: Path, file: str) -> None:
        target = self.folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged, target)


class _Transaction:
    def __init__(self, db: sqlite3.Connection):
        self._db, self._within = db, db.in_transaction  # nested: the outer transaction commits

    def __enter__(self) -> None:
        if not self._within:
            self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        if not self._within:
            self._db.execute("ROLLBACK" if kind else "COMMIT")


def _made(path: Path, patience: float) -> sqlite3.Connection:
    """A connection that may write; creates the file if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = _connect(path, patience)
    db.execute("PRAGMA journal_mode = WAL")  # readers do not wait while gathering writes
    db.execute("PRAGMA synchronous = NORMAL")  # fast; a killed process loses nothing
    db.executescript(_SCHEMA + MOVES_SCHEMA)
    return db


def _open(path: Path, patience: float) -> sqlite3.Connection:
    """A read-only connection; works on read-only disks, too."""
    if path.exists():
        try:
            db = _connect(f"{path.absolute().as_uri()}?mode=rw", patience)
            db.execute("PRAGMA query_only = ON")
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return db
            db.close()  # a process was killed before it wrote the tables
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or path.is_dir():
                raise
            # A write-ahead log needs files beside the database, which is not possible in a folder
            # without write permission or on a read-only disk. Nobody writes there, so a copy will
            # do.
            return _copied(path)
    db = _connect(":memory:", patience)
    db.executescript(_SCHEMA + MOVES_SCHEMA)
    return db


def _copied(path: Path) -> sqlite3.Connection:
    """The content of `path` and its write-ahead log, in memory."""
    db = _connect(":memory:", PATIENCE)
    with tempfile.TemporaryDirectory() as folder:
        for file in (path, path.with_name(f"{path.name}-wal")):
            if file.exists():
                shutil.copyfile(file, Path(folder, file.name))  # without its mode
        whole = _connect(Path(folder, path.name), PATIENCE)
        whole.backup(db)
        whole.close()
    return db


def _connect(path: str | Path, patience: float) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=patience, isolation_level=None, uri=True)
    db.row_factory = sqlite3.Row
    return db


def _column(name: str) -> str:
    if name not in _COLUMNS:
        raise ValueError(f"{name!r} is no column of the manifest; known are {', '.join(_COLUMNS)}")
    return name


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _storable(value: Any) -> Any:
    """A value that SQLite can store; bytes of a name that are not UTF-8 are written as escapes."""
    if not isinstance(value, str) or value.isascii():
        return value
    return value if value.isprintable() else value.encode(errors="backslashreplace").decode()
