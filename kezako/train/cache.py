"""Keep decoded pictures in memory, so that a file is decoded once and not in every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from fastai.callback.core import Callback
from fastai.data.core import DataLoaders, Transform
from PIL import Image

from kezako.errors import KezakoError

MOST = 1 << 30  # bytes of pixels: 2,600 pictures of 480 x 270 in RGB
SHARE = 0.25  # of the free memory; the rest is for the training itself


class PicturesInMemory(Callback):
    """Serves pictures from memory during a fit, as many as fit into it; the rest from disk.

    It is never exported: outside of a fit, the DataLoaders are as before.
    """

    order = 5

    def __init__(self, room: int | None = None):  # bytes of pixels; None: see `room_here`
        self.room = room_here() if room is None else room
        self.held = 0  # bytes
        self._pictures: dict[Path, Any] = {}
        self._usual: Any = None  # the transform that opens a file, while ours replaces it

    def before_fit(self) -> None:
        self.put_in(self.learn.dls)

    def after_fit(self) -> None:
        self.take_out(self.learn.dls)

    @contextmanager
    def used(self, dls: DataLoaders) -> Iterator[None]:
        """Use it in a block that is not a fit."""
        within = self._usual is not None  # inside a fit, which removes it itself
        self.put_in(dls)
        try:
            yield
        finally:
            if not within:
                self.take_out(dls)

    def put_in(self, dls: DataLoaders) -> None:
        # Training and validation share one list of transforms, and so does every DataLoader made
        # from these.
        steps = dls.train_ds.tls[0].tfms.fs
        if self._usual is None:
            self._place = _opener(steps, dls.train_ds.items[0])
            self._usual = steps[self._place]
            # A lambda: Transform would treat a method as one of its own.
            steps[self._place] = Transform(lambda path: self._open(path))

    def take_out(self, dls: DataLoaders) -> None:
        if self._usual is not None:
            dls.train_ds.tls[0].tfms.fs[self._place] = self._usual
            self._usual = None

    def _open(self, path: Path) -> Any:
        if path in self._pictures:
            return self._pictures[path]
        picture = self._usual(path)
        size = picture.width * picture.height * len(picture.getbands())
        if self.held + size <= self.room:
            self._pictures[path] = picture
            self.held += size
        return picture


def _opener(steps: Sequence[Any], item: Any) -> int:
    """The index of the transform that opens the file. Raises `KezakoError` if none does."""
    for place, step in enumerate(steps):
        item = step(item)
        if isinstance(item, Image.Image):
            return place
    raise KezakoError(
        "No step of these DataLoaders opens a picture file. Give the DataBlock an ImageBlock."
    )


def room_here() -> int:
    """How many bytes of pixels this machine can keep in memory without harm."""
    return min(MOST, int(SHARE * psutil.virtual_memory().available))
