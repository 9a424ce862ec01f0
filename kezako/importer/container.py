"""Read the file formats of `learn.export` over the years: a pickle with tensors beside it.

Since torch 1.6 it is a zip; before that, several pickles followed by the tensors' bytes. All
sizes are checked against the file's size before anything is read, so no number in it is trusted.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from kezako.importer.allowlist import MAX_FILE, Refused, short
from kezako.importer.kinds import check_file, what_zip
from kezako.importer.machine import run
from kezako.importer.records import Name

MAX_PICKLE = 64 * 2**20  # bytes of the pickles alone; a usual one has a thousandth of that
MAX_ENTRIES = 100_000  # tensors in a zip; a usual export has a few hundred
WIDTHS = {"Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2,
          "Char": 1, "Byte": 1, "Bool": 1}  # fmt: skip
_MAGIC = 0x1950A86A20F9469CFC6C  # what torch's older files begin with
_DIRECTORY = 8 * 2**20  # bytes of a zip's central directory; a usual one has 50,000
_PACKED = 4  # compression ratio: torch does not compress, and weights compress badly
_SPARE = 64 * 2**20  # bytes that any file may unpack to, and read in total


@dataclass(frozen=True)
class Storage:
    """A tensor's storage in the file."""

    key: str
    kind: str  # "Float", "Long"...: the name of torch's storage class without "Storage"
    count: int  # elements, not bytes


@dataclass(frozen=True)
class Export:
    """The content of a file: the records of its pickle, and its tensors' bytes."""

    root: Any
    read: Callable[[Storage], bytes]
    foreign: list[str]  # names from the user's own code and other libraries; not imported


def open_export(path: Path) -> Export:
    """Read the file at `path`, without running anything in it. Raises `Refused`."""
    size = check_file(path)
    try:
        with path.open("rb") as file:
            zipped = file.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}).") from error
    export = _open_zip(path, size) if zipped else _open_stream(path)
    return Export(export.root, _Ration(export.read, size).read, export.foreign)


class _Ration:
    """Reads tensors' bytes, but no more in total than a file of that size can need.

    Without this limit, a file could use the same storage in any number of tensors.
    """

    def __init__(self, read: Callable[[Storage], bytes], size: int):
        self._read, self._left = read, _PACKED * size + _SPARE

    def read(self, storage: Storage) -> bytes:
        """The bytes of `storage`. Raises `Refused`."""
        self._left -= storage.count * WIDTHS[storage.kind]
        if self._left < 0:
            raise Refused("The file is refused: its tensors are larger than the file.")
        return self._read(storage)


class _Reader:
    """Reads pickles and collects the storages that they refer to."""

    def __init__(self) -> None:
        self.foreign: set[str] = set()
        self.storages: dict[str, Storage] = {}

    def load(self, file: io.BytesIO) -> Any:
        """The next pickle of `file`, as records. Raises `Refused`."""
        try:
            return run(file, self._persistent, self.foreign)
        except Refused:
            raise
        except MemoryError as error:
            raise Refused("The file asks for more memory than a classifier can need.") from error
        except Exception as error:  # broken bytes: pickletools raises nearly anything
            raise Refused(
                "The file is damaged or cut short: its pickle cannot be read "
                f"({type(error).__name__}). Copy or download it again."
            ) from error

    def _persistent(self, identity: Any) -> Any:
        if not isinstance(identity, tuple) or len(identity) < 2:
            raise ValueError("a persistent id that torch does not write")
        what, *rest = identity
        if isinstance(what, str) and what == "module" and isinstance(rest[0], Name):
            return rest[0]  # older files contain the source code of layers; it is ignored
        if not isinstance(what, str) or what != "storage" or len(rest) < 4:
            raise ValueError("a persistent id that torch does not write")
        kind, key, _, count, *view = rest
        storage = _storage(kind, key, count, view)
        self.storages[storage.key] = storage
        return storage


def _storage(kind: Any, key: Any, count: Any, view: list[Any]) -> Storage:
    name = kind.path.rpartition(".")[2] if isinstance(kind, Name) else ""
    plain = name.removesuffix("Storage")
    if plain not in WIDTHS or not isinstance(count, int) or count < 0:
        raise Refused(
            f"The file holds tensors of a kind that is not taken ({short(name) or 'unknown'})."
        )
    if view and view[0] is not None:
        raise Refused("The file shares parts of tensors, as only very old files do. Export again.")
    if not isinstance(key, str | int):
        raise Refused("The file is damaged: a tensor has no name.")
    return Storage(str(key), plain, count)


class _Opened(io.FileIO):
    """A zip file that refuses to read a central directory that is too large for memory."""

    bounded = True  # until the central directory is read

    def read(self, size: int | None = -1, /) -> bytes:
        """Like `FileIO.read`. Raises `BadZipFile` for more than a central directory may have."""
        whole = size is None or size < 0
        asked = os.fstat(self.fileno()).st_size - self.tell() if whole else size
        if self.bounded and asked is not None and asked > _DIRECTORY:
            raise zipfile.BadZipFile("its list of files has no end")
        return super().read(size) or b""

    def __del__(self) -> None:
        self.close()  # as a ZipFile that was given a path does


def _open_zip(path: Path, size: int) -> Export:
    opened = _Opened(path)
    try:
        archive = zipfile.ZipFile(opened)
        opened.bounded = False
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Refused(
            f"{path.name} is damaged or cut short: the zip cannot be opened ({error}). "
            "Copy or download it again."
        ) from error
    entries = {info.filename: info for info in archive.infolist()}
    prefix = _prefix(entries, path)
    sizes = sum(info.file_size for info in entries.values())
    if len(entries) > MAX_ENTRIES or sizes > min(MAX_FILE, _PACKED * size + _SPARE):
        raise Refused(
            f"{path.name} claims to unpack to {sizes // 2**20} MB in {len(entries)} files: refused."
        )
    order = _entry(archive, entries, f"{prefix}byteorder", 16) or b"little"
    if order.strip() != b"little":
        raise Refused("The file was written on a machine with another byte order. Export again.")

    def read(storage: Storage) -> bytes:
        wanted = storage.count * WIDTHS[storage.kind]
        content = _entry(archive, entries, f"{prefix}data/{storage.key}", wanted)
        if content is None or len(content) != wanted:
            raise Refused("The file is damaged: a tensor has not the size that it claims.")
        return content

    content = _entry(archive, entries, f"{prefix}data.pkl", MAX_PICKLE) or b""
    reader = _Reader()
    return Export(reader.load(io.BytesIO(content)), read, sorted(reader.foreign))


def _prefix(entries: dict[str, zipfile.ZipInfo], path: Path) -> str:
    if what := what_zip(entries):
        raise Refused(f"{path.name} is {what}")
    (pickle,) = (name for name in entries if PurePosixPath(name).name == "data.pkl")
    return pickle.removesuffix("data.pkl")


def _entry(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], name: str, limit: int
) -> bytes | None:
    """The bytes of one entry, at most `limit`; None if there is none. Raises `Refused`."""
    info = entries.get(name)
    if info is None:
        return None
    if info.flag_bits & 1:
        raise Refused("The file is locked with a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("The file is packed in a way that torch does not use. Export again.")
    if info.file_size > limit:
        raise Refused(f"The file is refused: its part {name.rpartition('/')[2]} is too large.")
    try:
        with archive.open(info) as file:
            content = file.read(limit + 1)
    except Exception as error:  # each decompressor raises errors of its own
        raise Refused(
            f"The file is damaged or cut short ({error}). Copy or download it again."
        ) from error
    if len(content) > limit:
        raise Refused(f"The file is refused: its part {name.rpartition('/')[2]} is too large.")
    return content


def _open_stream(path: Path) -> Export:
    with path.open("rb") as file:
        pickles = io.BytesIO(file.read(MAX_PICKLE))
    reader = _Reader()
    first = reader.load(pickles)
    if type(first) is not int or first != _MAGIC:
        return Export(first, _nothing, sorted(reader.foreign))  # a plain pickle
    for _ in range(2):  # torch's protocol version, and the sizes of C's types
        reader.load(pickles)
    root = reader.load(pickles)
    keys = reader.load(pickles)
    if not isinstance(keys, list) or len(keys) > MAX_ENTRIES:
        raise Refused("The file is damaged: its list of tensors cannot be read.")
    behind = _Behind(path, pickles.tell(), keys, reader.storages)
    return Export(root, behind.read, sorted(reader.foreign))


def _nothing(storage: Storage) -> bytes:
    raise Refused("The file is damaged: its tensors are missing.")


class _Behind:
    """The tensors' bytes after the pickles, each with its number of elements in front."""

    def __init__(self, path: Path, start: int, keys: list[Any], storages: dict[str, Storage]):
        self._path = path
        self._places: dict[str, int] = {}
        place, size = start, path.stat().st_size
        for key in keys:
            storage = storages.get(str(key)) if isinstance(key, str | int) else None
            if storage is None or place + 8 > size:
                raise Refused("The file is damaged or cut short: a tensor is missing.")
            self._places[storage.key] = place
            place += 8 + storage.count * WIDTHS[storage.kind]

    def read(self, storage: Storage) -> bytes:
        """The bytes of `storage`. Raises `Refused`."""
        place = self._places.get(storage.key)
        if place is None:
            raise Refused("The file is damaged: a tensor is missing.")
        wanted = storage.count * WIDTHS[storage.kind]
        with self._path.open("rb") as file:
            file.seek(place)
            start = file.read(8)
            content = file.read(wanted)
        if len(start) != 8 or struct.unpack("<q", start) != (storage.count,):
            raise Refused("The file is damaged: a tensor has not the size that it claims.")
        if len(content) != wanted:
            raise Refused("The file is damaged or cut short: a tensor is missing.")
        return content
