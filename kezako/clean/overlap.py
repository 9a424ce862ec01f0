"""How well one picture fits onto another, as cropped, scaled or mirrored copies of a photo do.

Normalised cross-correlation (Lewis, "Fast Normalized Cross-Correlation", 1995) of the fine detail,
for all shifts at once by Fourier transform, at each of several scales. The blurred picture is
subtracted first: otherwise any bright sky over a dark field would fit any other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import fft, ndimage

Floats = npt.NDArray[np.float32]

KEPT = 96  # pixels of the longest side of a picture kept in memory for comparison
SIDE = 48  # pixels of the longest side of the larger of two pictures
PAD = 2 * SIDE  # padded size, with room for every shift
# Of the smaller one; a crop to less than half does not count as a copy.
SCALES = 1.06 ** -np.arange(13)
WHOLE = 0.7  # share of the smaller one that must lie on the larger one
BLUR = 2.0  # standard deviation in pixels; coarser structure is subtracted
FLAT = 4.0  # grey levels: with less contrast there is nothing to compare


def small(image: Image.Image) -> Image.Image:
    """A picture as `overlap` needs it: grey and small. Changes `image` (`draft`)."""
    image.draft("L", (KEPT, KEPT))  # a JPEG is decoded at a fraction of its size
    grey = image.convert("L")
    grey.thumbnail((KEPT, KEPT), Image.Resampling.BOX)
    return grey


def overlap(first: Image.Image, second: Image.Image) -> float:
    """The correlation, -1 to 1, of two small grey pictures where they fit each other best.

    1 is the same picture. For what copies and other pictures reach, see `copies.SAME`.
    """
    return max(_fit(first, second), _fit(second, first))


def _fit(larger: Image.Image, smaller: Image.Image) -> float:
    """`overlap`, with `smaller` as a part of `larger`."""
    ground = _detail(larger, 1.0)
    patches = [_detail(smaller, scale) for scale in SCALES]  # K of them
    if min(ground.std(), patches[0].std()) < FLAT:
        return 0.0
    both = np.stack([_padded(patches), _padded([p[:, ::-1] for p in patches])])  # (2, K, PAD, PAD)
    there = _padded([np.ones_like(patch) for patch in patches])
    shared = _correlated(_padded([ground]), both)
    energy = _correlated(_padded([ground**2]), there)
    other = _correlated(_padded([np.ones_like(ground)]), both**2)
    needed = WHOLE * np.array([patch.size for patch in patches])[:, None, None]
    area = np.stack([_area(ground.shape, patch.shape) for patch in patches])  # (K, PAD, PAD)
    enough = (area >= needed) & (np.minimum(energy, other) > FLAT**2 * needed)
    return float((shared / np.sqrt(np.where(enough, energy * other, np.inf))).max())


def _correlated(ground: Floats, patches: Floats) -> Floats:
    """The sum of products for each shift of each patch, (..., PAD, PAD)."""
    spectra = fft.rfft2(ground) * np.conj(fft.rfft2(patches))
    return np.asarray(fft.irfft2(spectra, s=(PAD, PAD)))


def _padded(details: list[Floats]) -> Floats:
    room = np.zeros((len(details), PAD, PAD), dtype=np.float32)
    for place, detail in zip(room, details, strict=True):
        place[: detail.shape[0], : detail.shape[1]] = detail
    return room


def _area(ground: tuple[int, ...], patch: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """How many pixels of a patch overlap the ground, for each shift: (PAD, PAD)."""
    shifts = np.arange(PAD)
    rows, columns = (
        np.clip(
            np.minimum(whole, by + part) - np.maximum(0, by),
            0,
            None,
        )
        for whole, part in zip(ground, patch, strict=True)
        for by in [np.where(shifts < whole, shifts, shifts - PAD)]
    )
    return np.asarray(rows[:, None] * columns[None])


def _detail(image: Image.Image, scale: float) -> Floats:
    """A picture (H, W) at a scale, minus its blur and the means of its rows and columns.

    Without subtracting the means, any horizon would fit any other.
    """
    factor = SIDE * scale / max(image.size)
    width, height = (max(4, round(factor * side)) for side in image.size)
    levels = np.asarray(image.resize((width, height), Image.Resampling.BOX), dtype=np.float32)
    detail = levels - ndimage.gaussian_filter(levels, BLUR, mode="nearest")
    detail -= detail.mean(axis=1, keepdims=True)
    return np.asarray(detail - detail.mean(axis=0, keepdims=True))
