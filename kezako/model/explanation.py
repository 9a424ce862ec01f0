"""Where in a picture the evidence for the answer is; no torch, and far less than one answer's work.

After the occlusion maps of Zeiler and Fergus, "Visualizing and Understanding Convolutional
Networks" (ECCV 2014): hide a part, and see how far the answer falls. They hide squares of the
picture and run the whole model for each; here parts of the body's last map are hidden, and only
the head is run, on all of them at once. What hides a part is what the body makes of a plain grey
picture at that place: zeros, or the map's own mean, agree less with hiding the picture itself.
`benchmarks/why.py` measures by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from kezako.model.bundle import Preprocessing
from kezako.model.resize import seen
from kezako.model.runtime import Floats

# Dark blue to yellow by way of grey, evenly brighter: read alike with every kind of colour vision.
# After Nuñez, Anderton and Renslow, "Optimizing colormaps with consideration for color vision
# deficiency" (PLOS ONE 2018).
SCALE = ((0, 34, 78), (66, 78, 108), (124, 123, 120), (187, 173, 108), (254, 232, 56))
MOST = 8  # parts a side; a finer map than that has parts of several cells
REACH = 0.8  # parts: the width of the bell with which one is hidden
FAINT, STRONG = 0.15, 0.7  # share of the colour in the picture, at 0 and at 1
DIM = 0.85  # of the picture's own brightness, so that the brightest is the heat


def heat(
    cells: Floats,  # (K, h, w), the body's last map
    grey: Floats,  # (K, h, w), that of a plain grey picture
    head: Callable[[Floats], Floats],  # features (M, 2 K), greatest then mean -> logits (M, C)
    label: int,  # the class asked about
    multi: bool,  # whether each class is judged on its own
) -> Floats | None:
    """How far `label` falls without each part: (r, c), 0 to 1; None where it never falls."""
    found = np.maximum(falls(cells, grey, head, label, multi), 0)
    greatest = found.max()  # not a number where the model's outputs are none
    return np.asarray(found / greatest, dtype=np.float32) if greatest > 0 else None


def over(
    heat: Floats,  # (r, c), as `heat` gives it
    preprocessing: Preprocessing,  # of the model that gave it
    size: tuple[int, int],  # width and height of the picture that it is laid over
) -> Floats:
    """The heat of every pixel of the picture, (height, width); 0 where the model did not look."""
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
    """`picture` in grey under the colours of `heat` (height, width)."""
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
    """By how much the log-odds of `label` fall without each part, (r, c); below 0 they rise."""
    rows, columns = (min(side, MOST) for side in cells.shape[1:])
    seen_there = cells - grey
    features = [_pooled(cells)]
    for part in _parts(cells, rows, columns):  # a map at a time: each can be megabytes
        features.append(_pooled(cells - part * seen_there))
    odds = log_odds(head(np.stack(features)), label, multi)  # (1 + r * c,)
    return np.asarray((odds[0] - odds[1:]).reshape(rows, columns), dtype=np.float32)


def _parts(cells: Floats, rows: int, columns: int) -> Iterator[Floats]:
    """How much of each cell goes with each part, (h, w): the middle whole, the rest gradually."""
    height, width = cells.shape[1:]
    down = _bells(height, rows)
    across = _bells(width, columns)
    for row in down:
        for column in across:
            yield np.outer(row, column)


def _bells(cells: int, parts: int) -> Floats:
    """Bell curves (parts, cells), evenly spread and 1 in their middles."""
    step = cells / parts
    middles = (np.arange(parts) + 0.5) * step
    distances = (np.arange(cells) + 0.5 - middles[:, None]) / step
    return np.asarray(np.exp(-(distances**2) / (2 * REACH**2)), dtype=np.float32)


def _pooled(cells: Floats) -> Floats:
    """What fastai's heads see of a map (K, h, w): greatest and mean of each channel, (2 K,)."""
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
    """1 where the model looked, falling to 0 over half a cell where its view cuts the picture."""
    middles = np.arange(length) + 0.5
    rise = (middles - start) / (cell / 2) if start > 0 else np.ones(length)
    fall = (end - middles) / (cell / 2) if end < length else np.ones(length)
    return np.asarray(np.clip(np.minimum(rise, fall), 0, 1), dtype=np.float32)
