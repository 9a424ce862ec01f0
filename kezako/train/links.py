"""Hard links to the pictures of one training, so that cleaning does not move its files."""

from __future__ import annotations

import atexit
import os
import shutil
import uuid
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path, PurePosixPath

from kezako.dataset.row import Row
from kezako.errors import KezakoError
from kezako.lock import locked

PREFIX = ".training-"


class Links:
    """Hard links `CLASS/FILE` in a folder of `data/NAME`, deleted by `delete` or when the process
    ends.

    They outlive this object, because DataLoaders keep reading them and hold only their paths. They
    take no space, and a picture that is moved or deleted stays unchanged here. Raises `OSError` if
    the file system has no hard links or cannot be written.
    """

    def __init__(self, folder: Path):  # data/NAME
        _sweep(folder)
        self._source = folder
        self.folder = folder / f"{PREFIX}{uuid.uuid4().hex}"
        with ExitStack() as held:
            # Lock first: a folder without a lock belongs to nobody and is deleted by `_sweep`.
            held.enter_context(locked(self.folder))
            self.folder.mkdir()
            self._held, self._owner = held.pop_all(), os.getpid()
        atexit.register(self.delete)

    def take(self, rows: Iterable[Row]) -> dict[int, Path]:
        """Picture id -> its link, for pictures that are where their row says."""
        found: dict[int, Path] = {}
        for row in rows:
            name = PurePosixPath(str(row.file)).name
            link = self.folder / row.folder / name
            if link.exists():  # the same name in another sub-folder of the class
                link = link.with_name(f"{row.id}-{name}")
            link.parent.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):  # it was just moved
                os.link(self._source / str(row.file), link)
                found[row.id or 0] = link
        return found

    def delete(self) -> None:
        """Remove the links, not the pictures."""
        if os.getpid() == self._owner:  # not in a forked process
            atexit.unregister(self.delete)
            shutil.rmtree(self.folder, ignore_errors=True)
            self._held.close()


def _sweep(folder: Path) -> None:
    """Delete the links of trainings that were killed."""
    for left in folder.glob(f"{PREFIX}*"):
        with suppress(KezakoError), locked(left, patience=0):
            shutil.rmtree(left, ignore_errors=True)
