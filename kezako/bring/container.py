"""The files that `learn.export` has written over the years: a pickle, and tensors beside it.

Since torch 1.6 that is a zip; before, one pickle after the other with the tensors' bytes behind.
Sizes are checked against the file before anything is read, so that no number in it is believed.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from kezako.bring.names import Refused, check_mention, is_foreign, short, written
from kezako.bring.records import Name, Record, named, walk

MAX_FILE = 2 * 2**30  # bytes; the largest models that fastai trains have a quarter
MAX_PICKLE = 64 * 2**20  # bytes of the pickle alone; a usual one has a thousandth
MAX_ENTRIES = 100_000  # tensors of a zip; a usual export has some hundred
WIDTHS = {"Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2,
          "Char": 1, "Byte": 1, "Bool": 1}  # fmt: skip
_MAGIC = 0x1950A86A20F9469CFC6C  # what torch's older files begin with
_MAX_FOREIGN = 50
_STARTS = (b"\x80", b"(", b"c", b"}", b"]")  # a pickle's first byte, in every protocol


@dataclass(frozen=True)
class Storage:
    """Where the numbers of a tensor lie in the file."""

    key: str
    kind: str  # "Float", "Long"...: the name of torch's storage class without "Storage"
    count: int  # numbers, not bytes


@dataclass(frozen=True)
class Export:
    """What a file holds: the records of its pickle, and its tensors' bytes."""

    root: Any
    read: Callable[[Storage], bytes]
    foreign: list[str]  # names of the maker's own and of other libraries, which stay behind


def open_export(path: Path) -> Export:
    """Read the file at `path`. Raises `Refused`, and runs nothing of it."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise Refused(f"{path.name} has {size // 2**20} MB; at most {MAX_FILE // 2**20} fit.")
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}).") from error
    if start == b"PK\x03\x04":
        return _open_zip(path)
    if start.startswith(_STARTS):
        return _open_stream(path)
    raise Refused(
        f"{path.name} is no export of fastai's: it is neither a zip nor a pickle. "
        "Give the file that learn.export() wrote, usually export.pkl."
    )


class _Unpickler(pickle.Unpickler):
    """Answers every name with a `Name`, and every tensor's storage with a `Storage`."""

    def __init__(self, file: BinaryIO):
        super().__init__(file)
        self.foreign: set[str] = set()

    def find_class(self, module: str, name: str) -> Name:
        path = written(module, name)
        check_mention(path)
        if is_foreign(path) and len(self.foreign) < _MAX_FOREIGN:
            self.foreign.add(short(path))
        return named(path)

    def persistent_load(self, identity: Any) -> Any:
        if not isinstance(identity, tuple) or len(identity) < 2:
            raise pickle.UnpicklingError("a persistent id that torch does not write")
        what, *rest = identity
        if what == "module" and isinstance(rest[0], Name):
            return rest[0]  # older files bring the source code of layers, which is not looked at
        if what != "storage" or len(rest) < 4:
            raise pickle.UnpicklingError("a persistent id that torch does not write")
        kind, key, _, count, *view = rest
        return _storage(kind, key, count, view)


def _storage(kind: Any, key: Any, count: Any, view: list[Any]) -> Storage:
    name = kind.path.rpartition(".")[2] if isinstance(kind, Name) else ""
    plain = name.removesuffix("Storage")
    if plain not in WIDTHS or not isinstance(count, int) or count < 0:
        raise Refused(f"The file holds tensors of a kind that is not taken ({name or 'unknown'}).")
    if view and view[0] is not None:
        raise Refused("The file shares parts of tensors, as only very old files do. Export again.")
    return Storage(str(key), plain, count)


def load(file: BinaryIO) -> tuple[Any, list[str]]:
    """One pickle as records, and the foreign names that it mentions. Raises `Refused`."""
    unpickler = _Unpickler(file)
    try:
        return unpickler.load(), sorted(unpickler.foreign)
    except Refused:
        raise
    except MemoryError as error:
        raise Refused("The file asks for more memory than a classifier can need.") from error
    except Exception as error:  # unpickling broken bytes raises nearly anything
        raise Refused(
            "The file is damaged or cut short: its pickle cannot be read "
            f"({type(error).__name__}). Copy or download it again."
        ) from error


def _open_zip(path: Path) -> Export:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Refused(
            f"{path.name} is damaged or cut short: the zip cannot be opened ({error}). "
            "Copy or download it again."
        ) from error
    entries = {info.filename: info for info in archive.infolist()}
    prefix = _prefix(entries, path)
    sizes = sum(info.file_size for info in entries.values())
    if len(entries) > MAX_ENTRIES or sizes > MAX_FILE:
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
    root, foreign = load(io.BytesIO(content))
    return Export(root, read, foreign)


def _prefix(entries: dict[str, zipfile.ZipInfo], path: Path) -> str:
    pickles = [name for name in entries if name == "data.pkl" or name.endswith("/data.pkl")]
    if any(name.endswith("/constants.pkl") for name in entries):
        raise Refused(
            f"{path.name} is a TorchScript program, not an export of fastai's. "
            "Give the file that learn.export() wrote."
        )
    if len(pickles) != 1:
        raise Refused(
            f"{path.name} is a zip, but no export of fastai's: it holds {len(pickles)} files "
            "data.pkl, not one. If export.pkl is packed inside, unpack it first."
        )
    return pickles[0].removesuffix("data.pkl")


def _entry(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], name: str, limit: int
) -> bytes | None:
    """The bytes of one entry, never more than `limit`; None where there is none."""
    info = entries.get(name)
    if info is None:
        return None
    if info.flag_bits & 1:
        raise Refused("The file is locked with a password.")
    if info.file_size > limit:
        raise Refused(f"The file is refused: its part {name.rpartition('/')[2]} is too large.")
    try:
        with archive.open(info) as file:
            content = file.read(limit + 1)
    except Exception as error:  # each of zip's decompressors has errors of its own
        raise Refused(
            f"The file is damaged or cut short ({error}). Copy or download it again."
        ) from error
    if len(content) > limit:
        raise Refused(f"The file is refused: its part {name.rpartition('/')[2]} is too large.")
    return content


def _open_stream(path: Path) -> Export:
    with path.open("rb") as file:
        first, foreign = load(file)
        if first != _MAGIC or isinstance(first, Record):
            return Export(first, _nothing, foreign)  # a plain pickle
        for _ in range(2):  # torch's protocol version, and the sizes of C's types
            load(file)
        root, foreign = load(file)
        keys, _ = load(file)
        if not isinstance(keys, list) or len(keys) > MAX_ENTRIES:
            raise Refused("The file is damaged: its list of tensors cannot be read.")
        start = file.tell()
    return Export(root, _Behind(path, start, keys, root).read, foreign)


def _nothing(storage: Storage) -> bytes:
    raise Refused("The file is damaged: its tensors are missing.")


class _Behind:
    """The tensors' bytes behind the pickles, each with its count in front."""

    def __init__(self, path: Path, start: int, keys: list[Any], root: Any):
        self._path, self._start = path, start
        self._keys = [str(key) for key in keys]
        self._places: dict[str, int] | None = None
        self._storages = {storage.key: storage for storage in storages(root)}

    def read(self, storage: Storage) -> bytes:
        with self._path.open("rb") as file:
            if self._places is None:
                self._places = self._find(file)
            place = self._places.get(storage.key)
            if place is None:
                raise Refused("The file is damaged: a tensor is missing.")
            file.seek(place)
            (count,) = struct.unpack("<q", file.read(8))
            content = file.read(count * WIDTHS[storage.kind])
        if count != storage.count or len(content) != count * WIDTHS[storage.kind]:
            raise Refused("The file is damaged: a tensor has not the size that it claims.")
        return content

    def _find(self, file: BinaryIO) -> dict[str, int]:
        places, place = {}, self._start
        size = self._path.stat().st_size
        for key in self._keys:
            storage = self._storages.get(key)
            if storage is None or place + 8 > size:
                raise Refused("The file is damaged or cut short: a tensor is missing.")
            places[key] = place
            place += 8 + storage.count * WIDTHS[storage.kind]
        return places


def storages(root: Any) -> list[Storage]:
    """Every storage that the records under `root` speak of."""
    return [arg for record in walk(root) for arg in _flat(record.args) if isinstance(arg, Storage)]


def _flat(args: tuple[Any, ...]) -> list[Any]:
    return [item for arg in args for item in (arg if isinstance(arg, tuple) else (arg,))]
