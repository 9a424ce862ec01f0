"""A notebook figure of pictures in rows, with a few lines of text above each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from kezako.fonts import legible
from kezako.pictures import NotAPicture, open_picture, shrink

SIDE = 200  # pixels of a picture's longest side
RED, GREY, INK = "#b3261e", "#5f6368", "#1d1d1f"


@dataclass(frozen=True)
class Tile:
    """One picture with two or three lines of text."""

    path: Path | None  # None: text only
    words: str
    colour: str = INK


def draw_tiles(
    lines: Sequence[Sequence[Tile]],
    abreast: int,  # tiles in the longest line
    names: Iterable[str],  # names in the texts, to choose fonts for
) -> Figure:
    """A figure of the tiles; a file that cannot be opened leaves its place empty."""
    with legible(names):
        figure, grid = plt.subplots(
            len(lines), abreast, figsize=(2.5 * abreast, 2.9 * len(lines)), squeeze=False
        )
        for line, axes in zip(lines, grid, strict=True):
            for tile, axis in zip_longest(line, axes):
                axis.set_axis_off()
                axis.set_anchor("N")  # align the pictures of a row at the top
                if tile is None:
                    continue
                axis.set_title(tile.words, fontsize=10, color=tile.colour)
                if tile.path:
                    with suppress(NotAPicture):
                        axis.imshow(shrink(open_picture(tile.path, needed=SIDE), SIDE))
        figure.tight_layout()
    plt.close(figure)  # shown once, as the cell's value
    return figure
