"""Read the files of a folder or a zip one by one, without writing any to disk."""

from __future__ import annotations

import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

from kezako.dataset.row import Status
from kezako.errors import KezakoError
from kezako.gather.check import Reject
from kezako.names import as_shown

T = TypeVar("T")

MAX_FILE = 64 * 2**20  # bytes of one file; a phone's largest photos have a quarter of that
MAX_FILES = 200_000  # entries; more than any dataset collected by hand
# Bytes read from one archive; overlapping entries (a zip bomb) can add up to any size.
MAX_UNPACKED = 32 * 2**30

# Files that systems and browsers leave beside pictures.
_CLUTTER = {"thumbs.db", "desktop.ini", "__macosx"}

# In a zip, a name that is not marked as UTF-8 is in the code page of the system that wrote it.
# First comes macOS's, then the one in the zip specification, then those of Windows, by language.
_PAGES = (
    "utf-8", "cp437", "cp850", "cp852", "cp866", "cp932", "cp936", "cp949", "cp950", "cp737",
    "cp857", "cp862", "cp720", "cp874", "cp775", "cp1258", "cp1252", "cp1250", "cp1251", "cp1253",
    "cp1254", "cp1255", "cp1256", "cp1257", "cp855", "koi8-r", "euc-jp",
)  # fmt: skip
_UTF8_FLAG = 0x800

Folders = tuple[str, ...]  # the folders of a path, outermost first


class Unreadable(Exception):
    """A file that cannot be read; the message has the form "what: detail"."""

    def __init__(self, reason: str, status: Status = "broken"):
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Entry:
    """One file of a box."""

    name: str  # path in the box, with forward slashes; for display only, never used to open a file
    key: str | zipfile.ZipInfo  # how the box opens it
    linked: bool = False  # behind a link to another folder: such a file must not be moved

    @property
    def folders(self) -> Folders:
        return PurePosixPath(self.name).parts[:-1]


class Box(Protocol):
    """A folder or an archive."""

    kind: str  # "folder" or "zip", the source in the manifest
    entries: list[Entry]  # sorted by name
    unread: list[str]  # folders that were skipped, each with the reason

    def read(self, entry: Entry) -> bytes:
        """The bytes of `entry`. Raises `Unreadable`."""
        ...


@contextmanager
def open_box(
    path: Path,
    fits: Callable[[Folders], bool] = lambda folders: False,  # whether these folders name a class
) -> Iterator[Box]:
    """Open the folder or zip at `path`. Raises `KezakoError` if it is neither.

    `fits` is used to guess the code page of a zip's names.
    """
    if path.is_dir():
        yield _Folder(path)
        return
    if not path.is_file():
        raise KezakoError(f"There is no folder or zip file {as_shown(path)}.")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise KezakoError(
            f"{as_shown(path)} is neither a folder nor a zip file that can be opened ({error}). "
            "Unpack it, and give the folder."
        ) from error
    with archive:
        yield _Zip(archive, path, fits)


class _Folder:
    kind = "folder"

    def __init__(self, path: Path):
        self._path = path
        self.unread: list[str] = []
        self.entries = sorted(self._walk(), key=lambda entry: entry.name)

    def _walk(self) -> Iterator[Entry]:
        """Every file. Links to folders are followed, to each folder once, and never in a loop."""
        linked: set[str] = set()  # folders behind a link
        followed = {os.path.realpath(self._path)}  # where links led to
        for folder, folders, files in os.walk(self._path, followlinks=True, onerror=self._failed):
            folders[:] = sorted(name for name in folders if not _clutter(name))
            for name in list(folders):
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    real = os.path.realpath(path)
                    if real in followed or _is_within(os.path.realpath(folder), real):
                        self.unread.append(f"{self._name(path)} (a link to what is read already)")
                        folders.remove(name)
                    followed.add(real)
                    linked.add(path)
                elif folder in linked:
                    linked.add(path)
            for file in files:
                path = os.path.join(folder, file)
                if not _clutter(file):
                    yield Entry(self._name(path), path, folder in linked)

    def _failed(self, error: OSError) -> None:
        self.unread.append(f"{self._name(error.filename)} ({error.strerror})")

    def _name(self, path: str) -> str:
        return as_shown(Path(path).relative_to(self._path).as_posix())

    def read(self, entry: Entry) -> bytes:
        try:
            # O_NONBLOCK: opening a named pipe must not wait for a writer.
            with open(os.open(str(entry.key), os.O_RDONLY | _NO_WAIT), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise Unreadable("no file: it is a device or a pipe")
                return _within(file.read(MAX_FILE + 1))
        except OSError as error:
            raise Unreadable(f"unreadable: {error.strerror}") from error


class _Zip:
    kind = "zip"

    def __init__(self, archive: zipfile.ZipFile, path: Path, fits: Callable[[Folders], bool]):
        infos = archive.infolist()
        if len(infos) > MAX_FILES:
            raise KezakoError(
                f"{as_shown(path)} claims {len(infos)} files, more than {MAX_FILES}. "
                "If that is true, unpack it, and give the folder."
            )
        self._archive, self._left = archive, MAX_UNPACKED
        self.unread: list[str] = []
        named = map(Entry, _names(infos, fits), infos)
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
        except Exception as error:  # each decompressor raises errors of its own
            said = as_shown(error)
            raise Unreadable(f"unreadable: damaged inside the archive ({said})") from error
        self._left -= len(data)
        return _within(data)


_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_TOO_LARGE = f"too large: more than {MAX_FILE // 2**20} MB"


def read_or_reject(read: Callable[[T], bytes], what: T) -> bytes | Reject:
    """`read(what)`, or a `Reject` instead of raising `Unreadable`."""
    try:
        return read(what)
    except Unreadable as error:
        return Reject(error.status, str(error))


def _names(infos: Sequence[zipfile.ZipInfo], fits: Callable[[Folders], bool]) -> list[str]:
    """The names of a zip's files, as text."""
    raw = [_raw_name(info) for info in infos]
    page = _page([name for name in raw if name is not None and not name.isascii()], fits)
    return [
        _path_of(info.orig_filename if name is None else _decoded(name, page) or _escaped(name))
        for info, name in zip(infos, raw, strict=True)
    ]


def _raw_name(info: zipfile.ZipInfo) -> bytes | None:
    """A name as the bytes in the zip; None if it is marked as UTF-8."""
    if info.flag_bits & _UTF8_FLAG:
        return None
    # `zipfile` decoded it as cp437, so this gives the same bytes back.
    return info.orig_filename.encode("cp437")


def _page(names: Sequence[bytes], fits: Callable[[Folders], bool]) -> str:
    """The code page with which most names fit a class or, failing that, can be decoded."""
    folders = Counter(name.rpartition(b"/")[0] for name in names)

    def merit(page: str) -> tuple[int, int]:
        fitting = readable = 0
        for folder, count in folders.items():
            if (text := _decoded(folder, page)) is not None:
                fitting += count * fits(PurePosixPath(_path_of(text)).parts)
        for name in names:
            readable += _decoded(name, page) is not None
        return fitting, readable

    return max(_PAGES, key=merit)  # the first one if several are equal


def _decoded(name: bytes, page: str) -> str | None:
    try:
        return name.decode(page)
    except UnicodeDecodeError:
        return None


def _escaped(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _path_of(name: str) -> str:
    return as_shown(name.replace("\\", "/"))  # some programs on Windows write backslashes


def _within(data: bytes) -> bytes:
    if len(data) > MAX_FILE:
        raise Unreadable(_TOO_LARGE, "refused")
    return data


def _is_within(path: str, folder: str) -> bool:
    return f"{path}{os.sep}".startswith(folder if folder.endswith(os.sep) else f"{folder}{os.sep}")


def _parts(entry: Entry) -> tuple[str, ...]:
    return PurePosixPath(entry.name).parts


def _clutter(name: str) -> bool:
    return name.startswith("._") or name == ".DS_Store" or name.casefold() in _CLUTTER
