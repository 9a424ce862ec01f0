"""Words for tests of folders and zips: files of these names, however odd."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.gather.saved import jpeg, save


def folder_of(root: Path, names: Iterable[str], first: int = 0) -> Path:
    """A folder with another picture under each of these names, numbered from `first` on."""
    for number, name in enumerate(names, first):
        save(root / name, jpeg(number))
    return root


def raw_folder_of(root: Path, files: Mapping[bytes, bytes]) -> Path:
    """A folder whose names are bytes of any kind, as on Linux."""
    for name, data in files.items():
        path = os.path.join(os.fsencode(root), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    return root


def raw_zip_of(path: Path, files: Mapping[bytes, bytes], utf8: bool = False) -> Path:
    """A zip whose names are these bytes, marked as UTF-8 or not."""
    with zipfile.ZipFile(path, "w") as box:
        for name, data in files.items():
            info = _Raw(name, utf8)
            box.writestr(info, data)
    return path


class _Raw(zipfile.ZipInfo):
    def __init__(self, name: bytes, utf8: bool):
        super().__init__(name.hex())
        self._name, self._utf8 = name, utf8

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # what `zipfile` asks for a name's bytes
        return self._name, self.flag_bits & ~0x800 | 0x800 * self._utf8
