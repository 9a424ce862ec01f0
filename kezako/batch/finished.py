"""Remember which pictures have a row, with eight bytes per row."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

import numpy as np


class Done:
    """A set of paths, for `path in done`; stores 64-bit hashes."""

    def __init__(self, paths: Iterable[str] = ()):
        # A random key, so that nobody can construct names with the same hash.
        self._key = os.urandom(16)
        self._numbers = np.fromiter((self._number(path) for path in paths), dtype=np.uint64)
        self._numbers.sort()

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, path: str) -> bool:
        number = np.uint64(self._number(path))
        at = int(np.searchsorted(self._numbers, number))
        return at < len(self._numbers) and bool(self._numbers[at] == number)

    def _number(self, path: str) -> int:
        name = path.encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(name, digest_size=8, key=self._key).digest(), "big")
