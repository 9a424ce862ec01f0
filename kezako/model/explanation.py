"""Where in a picture the evidence for the answer is; no torch, and much less work than one answer.

After the occlusion maps of Zeiler and Fergus, "Visualizing and Understanding Convolutional
Networks" (ECCV 2014): hide a part, and see how far the answer falls. They hide squares of the
picture and run the whole model for each; here parts of the body's last feature map are hidden,
and only the head runs, on all of them at once. A hidden part is replaced by what the body gives
for a plain grey picture at that place. Zeros, or the map's own mean, agree less with hiding the
part in the picture itself; `benchmarks/why.py` measures by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from kezako.model.bundle import Preprocessing
from kezako.model.resize import seen
from kezako.model.runtime import Floats

# Dark blue through grey to yellow, with even steps in brightness: readable with every kind of
# colour vision.
# After Nuñez, Anderton and Renslow, "Optimizing colormaps with consideration for color vision
# deficiency" (PLOS ONE 2018).
SCALE = ((0, 34, 78), (66, 78, 108), (124, 123, 120), (187, 173, 108), (254, 232, 56))
MOST = 8  # parts a side; in a finer map a part covers several cells
REACH = 0.8  # standard deviation, in parts, of the Gaussian that hides one
FAINT, STRONG = 0.15, 0.7  # opacity of the colour over the picture, at heat 0 and 1
DIM = 0.85  # factor of the picture's brightness, so that the heat stands out


def heat(
    cells: Floats,  # (K, h, w), the body's last feature map
    grey: Floats,  # (K, h, w), that of a plain grey picture
    head: Callable[[Floats], Floats],  # features (M, 2 K), greatest then mean -> logits (M, C)
    label: int,  # the class asked about
    multi: bool,  # multi-label: each class has its own yes or no
) -> Floats | None:
    """How far `label` falls without each part: (r, c), 0 to 1; None if it never falls."""
    found = np.maximum(falls(cells, grey, head, label, multi), 0)
    greatest = found.max()  # NaN if the model's outputs are
    return np.asarray(found / greatest, dtype=np.float32) if greatest > 0 else None


def over(
    heat: Floats,  # (r, c), as `heat` gives it
    preprocessing: Preprocessing,  # of the model that gave it
    size: tuple[int, int],  # width and height of the picture under it
) -> Floats:
    """The heat of each pixel of the picture, (height, width), 0 to 1; 0 where it was not seen."""
    width, height = size
    left, top, right, bottom = seen(preprocessing.ways, width, height)
    rows, columns = heat.shape
    across, down = (right - left) / columns, (bottom - top) / rows  # pixels of one cell
    # Pixel (x, y) takes the heat at column (x - left) / across; outside the map that is 0.
    view = Image.fromarray(heat).transform(
        size,
        Image.Transform.AFFINE,
        (1 / across, 0, -left / across, 0, 1 / down, -top / down),
        resample=Image.Resampling.BICUBIC,
    )
    faded = np.outer(_edges(height, top, bottom, down), _edges(width, left, right, across))
    within = np.clip(np.asarray(view), 0, 1)  # bicubic overshoots
    return np.asarray(within * faded, dtype=np.float32)


def laid_over(picture: Image.Image, heat: Floats) -> Image.Image:
    """`picture` in grey with the colours of `heat` (height, width) over it."""
    tints = np.linspace(0, 1, 256)
    steps = np.linspace(0, 1, len(SCALE))
    colours = np.stack([np.interp(tints, steps, channel) for channel in zip(*SCALE, strict=True)])
    shares = FAINT + (STRONG - FAINT) * tints  # (256,)
    tint = np.asarray(heat * 255, dtype=np.uint8)  # (H, W)
    grey = np.asarray(picture.convert("L"), dtype=np.float32) * DIM
    kept = grey * (1 - shares).astype(np.float32)[tint]
    mixed = kept[..., None] + (shares * colours).T.astype(np.float32)[tint]  # (H, W, 3)
    return Image.fromarray(mixed.astype(np.uint8))


def falls(
    cells: Floats, grey: Floats, head: Callable[[Floats], Floats], label: int, multi: bool
) -> Floats:
    """By how much the log-odds of `label` fall without each part, (r, c); negative if they rise."""
    rows, columns = (min(side, MOST) for side in cells.shape[1:])
    seen_there = cells - grey
    features = [_pooled(cells)]
    for part in _parts(cells, rows, columns):  # one map at a time: each can have megabytes
        features.append(_pooled(cells - part * seen_there))
    odds = log_odds(head(np.stack(features)), label, multi)  # (1 + r * c,)
    return np.asarray((odds[0] - odds[1:]).reshape(rows, columns), dtype=np.float32)


def _parts(cells: Floats, rows: int, columns: int) -> Iterator[Floats]:
    """The weight of each cell (h, w) in each part: 1 in its middle, falling off around it."""
    height, width = cells.shape[1:]
    down = _bells(height, rows)
    across = _bells(width, columns)
    for row in down:
        for column in across:
            yield np.outer(row, column)


def _bells(cells: int, parts: int) -> Floats:
    """Gaussians (parts, cells), evenly spaced and 1 in their middles."""
    step = cells / parts
    middles = (np.arange(parts) + 0.5) * step
    distances = (np.arange(cells) + 0.5 - middles[:, None]) / step
    return np.asarray(np.exp(-(distances**2) / (2 * REACH**2)), dtype=np.float32)


def _pooled(cells: Floats) -> Floats:
    """fastai's `AdaptiveConcatPool2d` of a map (K, h, w): maximum and mean per channel, (2 K,)."""
    return np.concatenate([cells.max(axis=(1, 2)), cells.mean(axis=(1, 2))])


def log_odds(logits: Floats, label: int, multi: bool) -> Floats:
    """The log-odds (M,) of `label` against all others, from logits (M, C)."""
    if multi:
        return logits[:, label]
    others = np.delete(logits, label, axis=1)
    return np.asarray(logits[:, label] - np.logaddexp.reduce(others, axis=1), dtype=np.float32)


def _edges(
    length: int,  # pixels of the picture
    start: float,  # of the model's view
    end: float,
    cell: float,  # pixels of one cell
) -> Floats:
    """1 inside the model's view, falling to 0 over half a cell where the view cuts the picture."""
    middles = np.arange(length) + 0.5
    rise = (middles - start) / (cell / 2) if start > 0 else np.ones(length)
    fall = (end - middles) / (cell / 2) if end < length else np.ones(length)
    return np.asarray(np.clip(np.minimum(rise, fall), 0, 1), dtype=np.float32)
