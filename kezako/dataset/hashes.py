"""Find copies of pictures by perceptual hash, including mirrored and turned ones.

Each bit of a hash says whether one of the picture's lowest frequencies (DCT) is above their
median. Mirroring changes the sign of the odd frequencies of a row or column, and a quarter turn
swaps rows and columns. So the hash of a mirrored or turned picture can be computed from the hash
itself, to within 26 bits on photos. For small turns, the middle of a picture is hashed at several
angles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm.auto import tqdm

from kezako.pictures import HASH_SIDE, perceptual_hash

if TYPE_CHECKING:
    from kezako.dataset.row import Row

Words = npt.NDArray[np.uint64]  # (..., 4): 256 bits
Mask = npt.NDArray[np.bool_]

# Bits of 256. Re-encoded, resized or slightly (3 %) cropped copies of real photos differ by 0 to
# 34 bits at the 95th percentile, unrelated photos by 98 and more at the 0.1th.
NEAR_BITS = 40
# For pictures with less detail: re-encoded faces of 48 pixels differ by 8 at most, mirrored ones by
# 22; handwritten digits of 28 pixels, some alike by chance, differ by 36 and more.
SMALL_BITS = 16
SMALL = 64  # pixels of the shorter side
# Photos, faces and drawings turned by up to 15 degrees differ from the nearest angle by 22 to 30 at
# the 95th percentile and 36 to 38 at the 99th, others of their class by 42 and more.
TURNED_BITS = 36
# Degrees: the usual range of augmentation, in steps small enough for a hash.
ANGLES = range(-15, 16, 3)
MIDDLE = 0.7  # share of the shorter side; a turn by 15 degrees brings no corner into it
TURNED_SIDE = 96  # pixels of the longest side when turned; a hash uses 64
TOLD = 200  # from so many pictures on, a progress bar is shown

# Roboflow exports NAME.jpg, any number of times, as NAME_jpg.rf.HASH.jpg.
_ROBOFLOW = re.compile(r"(.+)\.rf\.[0-9A-Za-z_-]{8,}\.\w+")

_ODD = np.arange(HASH_SIDE) % 2 == 1
_MIRRORED = np.packbits(np.broadcast_to(_ODD, (HASH_SIDE, HASH_SIDE))).view(np.uint64)
_UPSIDE_DOWN = np.packbits(np.broadcast_to(_ODD[:, None], (HASH_SIDE, HASH_SIDE))).view(np.uint64)


class Hashes:
    """The hashes of some pictures; for the new ones, `near` finds their copies."""

    def __init__(
        self,
        rows: Sequence[Row],  # (N,), each with its hash
        new: Iterable[int],  # those that `near` is asked about, as indices
        folder: Path,  # data/NAME
    ):
        self._rows = rows
        self._plain = _words(row.phash or "" for row in rows)
        small = np.array([_is_small(row) for row in rows])
        self._bits = np.where(small, SMALL_BITS, NEAR_BITS)  # (N,)
        self._classes = _numbers(row.folder for row in rows)
        self._stems = _numbers(_stem(row) for row in rows)
        by_hand = [i for i in new if rows[i].url is None and not small[i]]
        self._measure(by_hand, np.flatnonzero(~small).tolist(), folder)

    def near(self, index: int) -> Mask:
        """Which pictures (N,) are copies of the new picture `index`; itself is one of them.

        Turned, mirrored and renamed copies are only looked for within its class: there a mirror
        image means the same, but between classes such as the letters b and d it does not.
        """
        found = _differing(self._plain, self._plain[index]) <= np.minimum(
            self._bits, self._bits[index]
        )
        kin = np.flatnonzero(self._classes == self._classes[index])
        turned = _all_ways(self._plain[index : index + 1])
        found[kin] |= _least(self._plain[kin], turned) <= np.minimum(
            self._bits[kin], self._bits[index]
        )
        if index in self._turned:
            measured = kin[self._middle_at[kin] >= 0]
            middles = self._middles[self._middle_at[measured]]
            found[measured] |= _least(middles, self._turned[index]) <= TURNED_BITS
        if self._stems[index] >= 0:
            found[kin] |= self._stems[kin] == self._stems[index]
        return found

    def _measure(self, by_hand: Sequence[int], large: Sequence[int], folder: Path) -> None:
        classes = {self._classes[i] for i in by_hand}
        asked = set(by_hand)
        wanted = [i for i in large if self._classes[i] in classes]
        middles: list[Words] = []
        self._turned: dict[int, Words] = {}
        self._middle_at = np.full(len(self._rows), -1)  # (N,) place in `_middles`, or -1
        few = len(wanted) < TOLD
        for i in tqdm(wanted, desc="looking for copies", unit="picture", disable=few, leave=False):
            try:
                with Image.open(folder / str(self._rows[i].file)) as image:
                    hashes = _hashes_at(image, ANGLES if i in asked else (0,))
            except Exception:  # the file was damaged after it was kept: only its plain hash is used
                continue
            self._middle_at[i] = len(middles)
            middles.append(hashes[len(hashes) // 2])  # at no angle
            if i in asked:
                self._turned[i] = _all_ways(hashes)
        self._middles = np.array(middles, dtype=np.uint64).reshape(-1, 4)


def _hashes_at(image: Image.Image, angles: Iterable[int]) -> Words:
    """Hashes (A, 4) of the middle of a picture, turned by each of A angles in degrees."""
    image.draft("L", (TURNED_SIDE, TURNED_SIDE))  # a JPEG is decoded at a fraction of its size
    grey = image.convert("L")
    grey.thumbnail((TURNED_SIDE, TURNED_SIDE), Image.Resampling.BOX)
    width, height = grey.size
    half = MIDDLE * min(width, height) / 2
    left, top, right, bottom = (side / 2 + by for by in (-half, half) for side in (width, height))
    box = (round(left), round(top), round(right), round(bottom))
    turned = (grey.rotate(angle, Image.Resampling.BILINEAR).crop(box) for angle in angles)
    return _words(map(perceptual_hash, turned))


def _all_ways(hashes: Words) -> Words:
    """All 8 mirrorings and quarter turns of hashes (A, 4), as hashes (8 A, 4)."""
    bits = np.unpackbits(hashes.view(np.uint8), axis=-1).reshape(-1, HASH_SIDE, HASH_SIDE)
    exchanged = np.packbits(bits.transpose(0, 2, 1).reshape(len(bits), -1), axis=-1)
    both = np.concatenate([hashes, exchanged.view(np.uint64)])  # (2 A, 4)
    flips = (np.zeros_like(_MIRRORED), _MIRRORED, _UPSIDE_DOWN, _MIRRORED ^ _UPSIDE_DOWN)
    return np.concatenate([both ^ flip for flip in flips])


def _differing(hashes: Words, other: Words) -> npt.NDArray[np.int64]:
    """How many bits (..., N) of each hash (N, 4) differ from others (..., 1, 4)."""
    return np.bitwise_count(hashes ^ other).sum(axis=-1, dtype=np.int64)


def _least(hashes: Words, ways: Words) -> npt.NDArray[np.int64]:
    """How many bits (N,) each hash (N, 4) differs from the nearest of some variants (W, 4)."""
    least = np.full(len(hashes), 256)
    for way in ways:  # one at a time: all at once would not fit the CPU cache
        np.minimum(least, _differing(hashes, way), out=least)
    return least


def _words(hashes: Iterable[str]) -> Words:
    rows = [list(bytes.fromhex(value)) for value in hashes]
    return np.array(rows, dtype=np.uint8).reshape(len(rows), 32).view(np.uint64)


def _numbers(values: Iterable[str | None]) -> npt.NDArray[np.int64]:
    """A number (N,) for each different value, -1 for None."""
    known: dict[str, int] = {}
    numbers = [-1 if value is None else known.setdefault(value, len(known)) for value in values]
    return np.array(numbers, dtype=np.int64)


def _is_small(row: Row) -> bool:
    return min(row.width or SMALL, row.height or SMALL) < SMALL


def _stem(row: Row) -> str | None:
    name = PurePosixPath(row.title or row.file or "").name if row.url is None else ""
    found = _ROBOFLOW.fullmatch(name)
    return found[1] if found else None
