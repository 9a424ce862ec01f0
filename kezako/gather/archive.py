"""The files of a folder or a zip, one by one, without ever writing what is in it."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

from kezako.errors import KezakoError
from kezako.gather.check import Reject
from kezako.manifest import Status

T = TypeVar("T")

MAX_FILE = 64 * 2**20  # bytes of one file; the largest photos of a phone have a quarter
MAX_FILES = 200_000  # entries; more than any set gathered by hand
MAX_UNPACKED = 32 * 2**30  # bytes read from one archive; overlapping entries can claim any number

# What systems and browsers leave beside pictures; nobody saved these as pictures.
_CLUTTER = {"thumbs.db", "desktop.ini", "__macosx"}


class Unreadable(Exception):
    """A file that cannot be read; the message reads "what: detail"."""

    def __init__(self, reason: str, status: Status = "broken"):
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Entry:
    """One file of a box."""

    name: str  # path within the box, with forward slashes; never used to open or write anything
    key: str | zipfile.ZipInfo  # what the box opens it by

    @property
    def folders(self) -> tuple[str, ...]:
        return PurePosixPath(self.name).parts[:-1]


class Box(Protocol):
    """A folder or an archive."""

    kind: str  # "folder" or "zip", the source in the manifest
    entries: list[Entry]  # sorted by name

    def read(self, entry: Entry) -> bytes:
        """Its bytes. Raises `Unreadable`."""
        ...


@contextmanager
def open_box(path: Path) -> Iterator[Box]:
    """The folder or zip at `path`. Raises `KezakoError` where it is neither."""
    if path.is_dir():
        yield _Folder(path)
        return
    if not path.is_file():
        raise KezakoError(f"There is no folder or zip file {path}.")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise KezakoError(
            f"{path} is neither a folder nor a zip file that can be opened ({error}). "
            "Unpack it, and give the folder."
        ) from error
    with archive:
        yield _Zip(archive, path)


class _Folder:
    kind = "folder"

    def __init__(self, path: Path):
        self._path = path
        self.entries = sorted(self._walk(), key=lambda entry: entry.name)

    def _walk(self) -> Iterator[Entry]:
        for folder, folders, files in os.walk(self._path):  # links to folders are not followed
            folders[:] = [name for name in folders if not _clutter(name)]
            for file in files:
                path = Path(folder, file)
                if not _clutter(file):
                    yield Entry(path.relative_to(self._path).as_posix(), str(path))

    def read(self, entry: Entry) -> bytes:
        try:
            # O_NONBLOCK: opening a pipe somebody left there must not wait for a writer.
            with open(os.open(str(entry.key), os.O_RDONLY | _NO_WAIT), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise Unreadable("no file: it is a device or a pipe")
                return _within(file.read(MAX_FILE + 1))
        except OSError as error:
            raise Unreadable(f"unreadable: {error.strerror}") from error


class _Zip:
    kind = "zip"

    def __init__(self, archive: zipfile.ZipFile, path: Path):
        infos = archive.infolist()
        if len(infos) > MAX_FILES:
            raise KezakoError(
                f"{path} claims {len(infos)} files, more than {MAX_FILES}. "
                "If that is true, unpack it, and give the folder."
            )
        self._archive, self._left = archive, MAX_UNPACKED
        named = (Entry(info.filename.replace("\\", "/"), info) for info in infos)
        self.entries = sorted(
            (e for e in named if not e.name.endswith("/") and not any(map(_clutter, _parts(e)))),
            key=lambda entry: entry.name,
        )

    def read(self, entry: Entry) -> bytes:
        info = entry.key
        assert isinstance(info, zipfile.ZipInfo)
        if ".." in _parts(entry) or entry.name.startswith("/") or ":" in entry.name[:2]:
            raise Unreadable("refused: its name climbs out of the archive", "refused")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Unreadable("refused: a link inside an archive", "refused")
        if info.flag_bits & 1:
            raise Unreadable("unreadable: locked with a password; unpack the archive first")
        if info.file_size > MAX_FILE:
            raise Unreadable(_TOO_LARGE, "refused")
        if self._left <= 0:
            raise Unreadable("refused: the archive unpacks to more than it should", "refused")
        try:
            with self._archive.open(info) as file:
                data = file.read(MAX_FILE + 1)
        except Exception as error:  # each of zip's decompressors has errors of its own
            raise Unreadable(f"unreadable: damaged inside the archive ({error})") from error
        self._left -= len(data)
        return _within(data)


_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_TOO_LARGE = f"too large: more than {MAX_FILE // 2**20} MB"


def read_or_reject(read: Callable[[T], bytes], what: T) -> bytes | Reject:
    """`read(what)`, with what went wrong as a value."""
    try:
        return read(what)
    except Unreadable as error:
        return Reject(error.status, str(error))


def _within(data: bytes) -> bytes:
    if len(data) > MAX_FILE:
        raise Unreadable(_TOO_LARGE, "refused")
    return data


def _parts(entry: Entry) -> tuple[str, ...]:
    return PurePosixPath(entry.name).parts


def _clutter(name: str) -> bool:
    return name.startswith("._") or name == ".DS_Store" or name.casefold() in _CLUTTER
