"""A CSV file that is written row by row, goes on after a kill, and appears whole."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from kezako.batch.done import Done
from kezako.batch.rows import columns, harmless
from kezako.bundle import Card
from kezako.errors import KezakoError


class Sheet:
    """`with Sheet(file, card) as sheet: sheet.write(row)`, then `sheet.finish()`.

    Rows go to a file beside, named after the model that gave them: another training begins anew.
    """

    def __init__(self, file: Path, card: Card):
        self.file = file
        self._columns = columns(card)
        self._part = file.with_name(f"{file.name}.{_version(card)}.part")
        self.done = Done()
        self._target: IO[bytes] | None = None

    def __enter__(self) -> Sheet:
        """Take up what an earlier run left. Raises `KezakoError` where it cannot be written."""
        try:
            self._target = self._part.open("a+b")
        except OSError as error:
            raise KezakoError(f"{self.file} cannot be written ({error.strerror}).") from error
        _lock(self._target, self.file)
        for part in set(self.own()) - {self.file, self._part}:  # of another training
            with suppress(OSError):
                part.unlink()
        end = self._read()
        self._target.truncate(end)
        if not end:
            self.write([self._columns])
        return self

    def __exit__(self, *_: object) -> None:
        if self._target:
            self._target.close()

    def __contains__(self, path: str) -> bool:
        return _written(path) in self.done

    def own(self) -> list[Path]:
        """The file, and what stands beside it until it is finished."""
        beside = self.file.parent.iterdir()
        named = re.compile(re.escape(self.file.name) + r"\.[0-9a-f]{12}\.part")
        return [self.file, *(path for path in beside if named.fullmatch(path.name))]

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows; a kill after this loses none of them."""
        assert self._target
        self._target.write(_encoded("".join(_record(row) for row in rows)))
        self._target.flush()

    def finish(self) -> None:
        """All rows are there: put the file in its place."""
        assert self._target
        os.fsync(self._target.fileno())
        self._target.close()
        self._part.replace(self.file)

    def _read(self) -> int:
        """Learn which rows are there; bytes up to the end of the last whole one."""
        assert self._target
        self._target.seek(0)
        end = 0

        def paths() -> Iterator[str]:
            nonlocal end
            for number, (record, behind) in enumerate(_records(self._target)):
                cells = next(csv.reader(io.StringIO(record.decode("utf-8"), newline="")), [])
                if len(cells) != len(self._columns):
                    return  # what a crash of the machine left
                end = behind
                if number:
                    yield cells[0]

        self.done = Done(paths())
        return end


def _record(row: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(harmless(cell) for cell in row)
    return text.getvalue()[:-2] + "\n"  # told of "\r", the writer puts a name with one in quotes


def _records(file: IO[bytes] | None) -> Iterator[tuple[bytes, int]]:
    """Each whole record and where it ends; a name in quotes may go over several lines."""
    assert file
    record, end = b"", 0
    for line in file:
        record += line
        if line.endswith(b"\n") and record.count(b'"') % 2 == 0:
            end += len(record)
            yield record, end
            record = b""


def _written(path: str) -> str:
    """A path as it comes back from the file."""
    return _encoded(harmless(path)).decode("utf-8")


def _encoded(text: str) -> bytes:
    # A file's name may be no text; what is not is written as its number.
    return text.encode("utf-8", "backslashreplace")


def _version(card: Card) -> str:
    return hashlib.sha256(card.to_json().encode("utf-8", "replace")).hexdigest()[:12]


def _lock(file: IO[bytes], name: Path) -> None:
    """Raises `KezakoError` where another run writes the same file."""
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once are then the user's own affair
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise KezakoError(
            f"Another run is writing {name}; wait for it, or name another."
        ) from error
