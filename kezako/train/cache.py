"""Decoded pictures, kept in memory, so that a file is read and decoded once and not every epoch."""

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

MOST = 1 << 30  # bytes of pixels: 2,600 pictures of 480 x 270, and far more faces
SHARE = 0.25  # of the memory that is free; the rest is for the training itself


class PicturesInMemory(Callback):
    """Gives the pictures of a fit from memory, as many as there is room for; the rest from disk.

    What the learner exports never sees it: outside of a fit the DataLoaders are as they were.
    """

    order = 5

    def __init__(self, room: int | None = None):  # bytes of pixels; None: what this machine has
        self.room = room_here() if room is None else room
        self.held = 0  # bytes
        self._pictures: dict[Path, Any] = {}
        self._usual: Any = None  # the transform that opens a file, while ours stands in its place

    def before_fit(self) -> None:
        self.put_in(self.learn.dls)

    def after_fit(self) -> None:
        self.take_out(self.learn.dls)

    @contextmanager
    def used(self, dls: DataLoaders) -> Iterator[None]:
        """The same, for a block that is no fit."""
        within = self._usual is not None  # of a fit, which takes it out
        self.put_in(dls)
        try:
            yield
        finally:
            if not within:
                self.take_out(dls)

    def put_in(self, dls: DataLoaders) -> None:
        # The list of transforms is one and the same for training and validation, and for every
        # DataLoader that is made from these.
        steps = dls.train_ds.tls[0].tfms.fs
        if self._usual is None:
            self._place = _opener(steps, dls.train_ds.items[0])
            self._usual = steps[self._place]
            # A function: Transform takes a method for one of its own.
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
    """Which of the steps from a path to a picture opens the file."""
    for place, step in enumerate(steps):
        item = step(item)
        if isinstance(item, Image.Image):
            return place
    raise KezakoError(
        "No step of these DataLoaders opens a picture file. Give the DataBlock an ImageBlock."
    )


def room_here() -> int:
    """Bytes of pixels that this machine can keep without feeling it."""
    return min(MOST, int(SHARE * psutil.virtual_memory().available))
