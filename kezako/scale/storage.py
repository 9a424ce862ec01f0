"""Storage: folders and object stores for pictures and answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from kezako.batch.files import check, files
from kezako.batch.workers import LARGEST, read, too_large
from kezako.errors import KezakoError
from kezako.lock import locked
from kezako.worker.protocol import Outcome

# Seconds before a second and a third try, if a store is busy or the network is down.
PAUSES = 1.0, 5.0
FAILURES = (pa.ArrowException, OSError)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Storage:
    """A folder in a file system that all machines can access; it can be pickled."""

    system: fs.FileSystem
    folder: str  # as the file system names it, without the scheme
    shown: str  # prefix of file names in the answers

    @classmethod
    def of(cls, text: str) -> Storage:
        """From a path, or a URI such as s3://bucket/pictures. Raises `KezakoError`."""
        if "://" not in text:
            return cls(fs.LocalFileSystem(), os.path.abspath(text), text.rstrip("/"))
        shown = _shown(text)
        try:
            system, folder = fs.FileSystem.from_uri(text)
        except (*FAILURES, ValueError) as error:
            reason = str(error).replace(text, shown)
            raise KezakoError(f"{shown!r} cannot be reached: {reason}") from None
        return cls(system, folder, shown)

    @property
    def is_local(self) -> bool:
        return isinstance(self.system, fs.LocalFileSystem)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock the folder; a bucket has no locks. Raises `KezakoError`."""
        if not self.is_local:
            yield
            return
        folder = Path(self.folder)
        with locked(folder, inside=True):
            for left in folder.glob(".part-*.parquet.*.part"):  # left by a run that was killed
                left.unlink(missing_ok=True)
            yield

    def names(self) -> list[str]:
        """The files in it, recursive, sorted, without hidden ones. Raises `KezakoError`."""
        if self.is_local:  # local file names need not be UTF-8
            check([self.folder])
            return [os.path.relpath(path, self.folder) for path in files([self.folder])]
        try:
            found = self.system.get_file_info(fs.FileSelector(self.folder, recursive=True))
        except FAILURES as error:
            raise KezakoError(f"{self.shown} cannot be read: {error}") from None
        start = len(self.folder.rstrip("/")) + 1
        names = (entry.path[start:] for entry in found if entry.type == fs.FileType.File)
        return sorted(name for name in names if not _hidden(name))

    def path(self, name: str) -> str:
        """A file's path in the answers; bytes that are not UTF-8 are written as escapes."""
        path = f"{self.shown}/{name}"
        return path.encode("utf-8", "backslashreplace").decode("utf-8")

    def read(self, name: str) -> bytes | Outcome:
        """The bytes of a file, or an outcome with the problem."""
        if self.is_local:
            return read(os.path.join(self.folder, name))
        try:
            return _patiently(lambda: self._read(name))
        except FAILURES:
            return {"refused": f"The file {Path(name).name!r} cannot be read."}

    def _read(self, name: str) -> bytes | Outcome:
        with self.system.open_input_file(f"{self.folder}/{name}") as file:
            size = file.size()
            return file.read(size) if size <= LARGEST else too_large(name)

    def write(self, name: str, table: pa.Table) -> None:
        """Write a Parquet file atomically; writing it again gives the same file."""
        target = f"{self.folder}/{name}"
        if not self.is_local:  # object stores write atomically
            _patiently(lambda: pq.write_table(table, target, filesystem=self.system))
            return
        self.system.create_dir(self.folder, recursive=True)
        staged = f"{self.folder}/.{name}.{os.getpid()}.part"
        pq.write_table(table, staged, filesystem=self.system)
        self.system.move(staged, target)

    def tables(self, columns: list[str]) -> Iterator[pa.Table]:
        """Some columns of each Parquet file directly in the folder. Raises `KezakoError`."""
        if self.system.get_file_info(self.folder).type == fs.FileType.NotFound:
            return
        for entry in self.system.get_file_info(fs.FileSelector(self.folder)):
            name = entry.base_name
            if name.endswith(".parquet") and not _hidden(name):
                try:
                    yield pq.read_table(
                        f"{self.folder}/{name}", columns=columns, filesystem=self.system
                    )
                except (*FAILURES, KeyError, ValueError) as error:
                    raise KezakoError(
                        f"{self.path(name)} is none of Kezako's tables ({error}). "
                        "Name a new folder for the answers."
                    ) from None


def _patiently(call: Callable[[], Result]) -> Result:
    """The result of `call`, with retries. Raises what the last try raised."""
    for pause in PAUSES:
        try:
            return call()
        except FileNotFoundError:
            raise
        except FAILURES:
            time.sleep(pause)
    return call()


def _shown(uri: str) -> str:
    """`uri` without credentials and query, for messages."""
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", "")).rstrip("/")


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
