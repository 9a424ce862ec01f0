"""Write rows to a CSV file, resumable and atomic, or to a stream."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Protocol

from kezako.batch.finished import Done
from kezako.batch.rows import columns, harmless
from kezako.errors import KezakoError
from kezako.lock import locked
from kezako.model.bundle import KNOWN, MODEL, Card

LONGEST = 10 * 2**20  # bytes of the first line; ten thousand classes need a tenth of that


class Table(Protocol):
    """Output of a run. Use it in a `with` block: `write` rows, then call `finish`."""

    done: Done  # the rows of an earlier run

    def __enter__(self) -> Table: ...
    def __exit__(self, *_: object) -> None: ...
    def __contains__(self, path: str) -> bool: ...
    def own(self) -> set[str]: ...  # absolute paths of its own files, which are not pictures
    def write(self, rows: Sequence[Sequence[str]]) -> None: ...
    def finish(self) -> None: ...


def table(
    file: Path,
    card: Card,
    overwrite: bool = False,  # also replace a file that is not such a table
) -> Table:
    """The output at `file`: a `Stream` if that is no regular file, else a `Sheet`."""
    return Stream(file, card) if is_stream(file) else Sheet(file, card, overwrite)


def is_stream(file: Path) -> bool:
    """Whether it is a pipe, a device or the process's own output, which cannot be replaced."""
    where = Path(os.path.abspath(file)).parts[1:2]
    special = file.exists() and not file.is_file() and not file.is_dir()
    return special or (os.name == "posix" and where in (("dev",), ("proc",)))


class Stream:
    """Writes rows immediately; it cannot be resumed."""

    def __init__(self, file: Path, card: Card):
        self.file, self.done = file, Done()
        self._columns = columns(card)

    def __enter__(self) -> Stream:
        """Raises `KezakoError` if it cannot be written."""
        try:
            # Append: if it leads to a file, its content is kept.
            self._target = self.file.open("ab")
        except OSError as error:
            raise KezakoError(f"{self.file} cannot be written ({error.strerror}).") from error
        self.write([self._columns])
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self._target.close()

    def __contains__(self, path: str) -> bool:
        return False

    def own(self) -> set[str]:
        return {os.path.abspath(self.file)}

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Raises `KezakoError` if the reader has closed the pipe."""
        try:
            self._target.write(_encoded("".join(_record(row) for row in rows)))
            self._target.flush()
        except BrokenPipeError:
            raise KezakoError(f"What read {self.file} has ended, so this ends, too.") from None

    def finish(self) -> None:
        """Nothing to do."""


class Sheet:
    """Writes a CSV file atomically: in a `with` block, `write` rows, then call `finish`.

    Rows go to a temporary file next to it, whose name depends on the model: with a model that was
    trained again, it starts from the beginning.
    """

    def __init__(self, file: Path, card: Card, overwrite: bool = False):
        self.file = Path(os.path.realpath(file))  # the target of a symbolic link, which is kept
        self._given, self._overwrite = file, overwrite
        self._columns = columns(card)
        self._part, self._part_of_0_1 = (
            self.file.with_name(f"{self.file.name}.{version}.part")
            for version in (_version(card), _digest(card))
        )
        self.done = Done()
        self._held = ExitStack()

    def __enter__(self) -> Sheet:
        """Lock the file and continue after an earlier run.

        Raises `KezakoError` if it cannot be written, another run writes it, or it is not a table of
        answers.
        """
        self._check()
        with ExitStack() as held:
            held.enter_context(locked(self.file))
            try:
                if self._part_of_0_1.exists() and not self._part.exists():
                    self._part_of_0_1.replace(self._part)
                self._target = held.enter_context(self._part.open("a+b"))
            except OSError as error:
                raise KezakoError(f"{self._given} cannot be written ({error.strerror}).") from error
            # Of another version of the model.
            for part in set(self._files()) - {self.file, self._part}:
                with suppress(OSError):
                    part.unlink()
            end = self._read()
            self._target.truncate(end)
            if not end:
                self.write([self._columns])
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def __contains__(self, path: str) -> bool:
        return _written(path) in self.done

    def own(self) -> set[str]:
        """Absolute paths of the file and of its temporary files."""
        names = [path.name for path in self._files()]
        beside = {os.path.abspath(self._given.with_name(name)) for name in names}
        return beside | {os.path.abspath(self._given), *map(str, self._files())}

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows; once this returns, a kill loses none of them."""
        self._target.write(_encoded("".join(_record(row) for row in rows)))
        self._target.flush()

    def finish(self) -> None:
        """Move the finished file into place. Raises `KezakoError` as `__enter__` does."""
        os.fsync(self._target.fileno())
        self._target.close()
        self._check()
        self._part.replace(self.file)

    def _check(self) -> None:
        if self.file.is_dir():
            raise KezakoError(f"{self._given} is a folder; name a file in it.")
        if not self.file.parent.is_dir():
            raise KezakoError(f"{self._given} cannot be written: there is no such folder.")
        if self.file.exists() and not self._overwrite and not _is_ours(self.file):
            raise KezakoError(
                f"{self._given} is no table of answers. Name another file, or replace it with "
                "--overwrite."
            )

    def _files(self) -> list[Path]:
        named = re.compile(re.escape(self.file.name) + r"\.[0-9a-f]{12}\.part")
        beside = self.file.parent.iterdir()
        return [self.file, *(path for path in beside if named.fullmatch(path.name))]

    def _read(self) -> int:
        """Read the paths of existing rows into `done`; returns the end of the last complete row."""
        self._target.seek(0)
        end = 0

        def paths() -> Iterator[str]:
            nonlocal end
            for number, (record, behind) in enumerate(_records(self._target)):
                cells = next(csv.reader(io.StringIO(record.decode("utf-8"), newline="")), [])
                if len(cells) != len(self._columns):
                    return  # left by a crash of the machine
                end = behind
                if number:
                    yield cells[0]

        self.done = Done(paths())
        return end


def _is_ours(file: Path) -> bool:
    """Whether it starts like a table of answers, of any classifier, or is empty.

    Raises `KezakoError` if it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            first = opened.readline(LONGEST)
    except OSError as error:
        raise KezakoError(f"{file} cannot be read ({error.strerror}).") from error
    names = next(csv.reader(io.StringIO(first.decode("utf-8", "replace"))), [])
    return not first or (
        names[:2] == ["path", "label"] and "known" in names and names[-1] == "problem"
    )


def _record(row: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(harmless(cell) for cell in row)
    # Only with "\r" in lineterminator does csv quote a name that contains one.
    return text.getvalue()[:-2] + "\n"


def _records(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Each complete record with the offset of its end; quoted names may span several lines."""
    record, end = b"", 0
    for line in file:
        record += line
        if line.endswith(b"\n") and record.count(b'"') % 2 == 0:
            end += len(record)
            yield record, end
            record = b""


def _written(path: str) -> str:
    """A path as it is read back from the file."""
    return _encoded(harmless(path)).decode("utf-8")


def _encoded(text: str) -> bytes:
    # A file name may contain bytes that are not UTF-8; they are written as escapes.
    return text.encode("utf-8", "backslashreplace")


def _version(card: Card) -> str:
    """A version that changes with a bundle's answers, but not with a new report or credits."""
    files = {name: card.files[name] for name in (MODEL, KNOWN) if name in card.files}
    return _digest(replace(card, files=files))


def _digest(card: Card) -> str:
    """Of the whole card; Kezako 0.1 named its unfinished tables after this."""
    return hashlib.sha256(card.to_json().encode("utf-8", "replace")).hexdigest()[:12]
