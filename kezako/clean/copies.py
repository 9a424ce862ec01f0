"""Find pictures of the same photo: cropped, scaled, mirrored or recoloured too much for a hash.

Features select candidates, pixels decide. Features alone are not enough: among real photos,
copies have a cosine similarity of 0.54 to 0.94, and portraits of two people up to 0.93.
"""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm.auto import tqdm

from kezako.clean.evidence import Array, Integers, nearest
from kezako.clean.overlap import overlap, small
from kezako.dataset.row import Row

CACHE = "copies.npz"
FORMAT = "1"  # change it when overlaps are computed differently
CLOSEST = 4  # each must be among the closest of the other, as all known copies were
STANDS_OUT = 0.05  # in cosine similarity: nearer than the tenth nearest neighbour of either
# Overlap: among 3,340 photos, all 40 pairs from 0.7 on were right; the first wrong one had 0.62.
SAME = 0.7
SAVED_EVERY = 200  # pairs: a kill loses at most these, about ten seconds
OPEN = 200  # small pictures in memory


def find_copies(
    folder: Path,  # data/NAME
    rows: Sequence[Row],  # (N,), only those whose pictures can be opened
    views: npt.NDArray[np.float32],  # (V, N, F), features of the same pictures
) -> Integers:
    """The pairs (K, 2), as indices into `rows`, that show the same photo.

    Pairs that the manifest has grouped already, by perceptual hash, are left out.
    """
    pairs = candidates(views, groups_of(rows))
    return pairs[_Overlaps(folder).of(rows, pairs) >= SAME]


def candidates(
    views: npt.NDArray[np.float32],  # (V, N, F)
    groups: Integers,  # (N,)
) -> Integers:
    """The pairs (K, 2) worth comparing: of different groups, and unusually similar."""
    indices, similarities = nearest(views, groups)
    order = np.argsort(-similarities, axis=1)
    indices = np.take_along_axis(indices, order, axis=1)[:, :CLOSEST]
    similarities = np.take_along_axis(similarities, order, axis=1)
    stand_out = similarities[:, :CLOSEST] >= similarities[:, -1:] + STANDS_OUT
    proposed = {(int(i), int(indices[i, k])) for i, k in np.argwhere(stand_out)}
    pairs = sorted((i, j) for i, j in proposed if i < j and (j, i) in proposed)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def groups_of(
    rows: Sequence[Row],  # (N,)
    copies: Integers | None = None,  # (K, 2) more pairs that belong together
) -> Integers:
    """A group number (N,) for each picture; all pictures of one photo share it."""
    groups = np.array([row.near if row.near is not None else -(row.id or 0) for row in rows])
    for first, second in () if copies is None else copies:
        groups[groups == groups[second]] = groups[first]
    return groups


class _Overlaps:
    """The cache `data/NAME/copies.npz`, by SHA-256; if it is lost, overlaps are computed again."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._known: dict[tuple[str, str], float] = {}
        self._small: OrderedDict[str, Image.Image] = OrderedDict()
        self._read()

    def of(self, rows: Sequence[Row], pairs: Integers) -> Array:
        """How well the two pictures of each pair (K, 2) match: (K,)."""
        keys = [_key(rows[first], rows[second]) for first, second in pairs]
        wanted = [pair for pair, key in zip(pairs, keys, strict=True) if key not in self._known]
        for done, (first, second) in enumerate(
            tqdm(wanted, desc="comparing pictures", unit="pair", disable=not wanted), 1
        ):
            self._measure(rows[first], rows[second])
            if done % SAVED_EVERY == 0 or done == len(wanted):
                with suppress(OSError):  # the folder is read-only or the disk is full
                    self._write()
        return np.array([self._known.get(key, 0.0) for key in keys])

    def _measure(self, first: Row, second: Row) -> None:
        # A file that was damaged in the meantime is compared another time.
        with suppress(OSError):
            self._known[_key(first, second)] = overlap(self._open(first), self._open(second))

    def _open(self, row: Row) -> Image.Image:
        name = str(row.file)
        if name not in self._small:
            with Image.open(self._folder / name) as image:
                self._small[name] = small(image)
            if len(self._small) > OPEN:
                self._small.popitem(last=False)
        return self._small[name]

    def _read(self) -> None:
        try:
            # Opened here, because numpy leaves a file open that it cannot read.
            with (
                (self._folder / CACHE).open("rb") as file,
                np.load(file, allow_pickle=False) as arrays,
            ):
                if str(arrays["format"]) != FORMAT:
                    return
                keys, overlaps = arrays["sha256"], arrays["overlaps"]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return
        if keys.shape == (len(overlaps), 2) and np.isfinite(overlaps).all():
            pairs = (tuple(part.decode() for part in key) for key in keys)
            self._known = dict(zip(pairs, overlaps.tolist(), strict=True))

    def _write(self) -> None:
        handle, staged = tempfile.mkstemp(prefix=".copies-", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(
                    file, format=np.array(FORMAT), sha256=np.array(list(self._known), dtype="S64"),
                    overlaps=np.array(list(self._known.values())),
                )  # fmt: skip
            os.replace(staged, self._folder / CACHE)
        finally:
            Path(staged).unlink(missing_ok=True)


def _key(first: Row, second: Row) -> tuple[str, str]:
    low, high = sorted((str(first.sha256), str(second.sha256)))
    return low, high
