"""The pictures of one training under names of their own, where they stay whatever is cleaned."""

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
    """Hard links in a folder of `data/NAME`, `CLASS/FILE`; they go with the process, or `delete`.

    Not with this object: DataLoaders go on reading them, and hold nothing but their paths. They
    take no room, and a picture that is moved, or deleted, stays what it was here. Raises
    `OSError` where the file system has no links, or nothing can be written.
    """

    def __init__(self, folder: Path):  # data/NAME
        _sweep(folder)
        self._source = folder
        self.folder = folder / f"{PREFIX}{uuid.uuid4().hex}"
        with ExitStack() as held:
            # First the lock: a folder without one is nobody's, and is swept.
            held.enter_context(locked(self.folder))
            self.folder.mkdir()
            self._held, self._owner = held.pop_all(), os.getpid()
        atexit.register(self.delete)

    def take(self, rows: Iterable[Row]) -> dict[int, Path]:
        """Picture -> its link, of those that are where their row says."""
        found: dict[int, Path] = {}
        for row in rows:
            name = PurePosixPath(str(row.file)).name
            link = self.folder / row.folder / name
            if link.exists():  # one of another folder within the class
                link = link.with_name(f"{row.id}-{name}")
            link.parent.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):  # it was moved just now
                os.link(self._source / str(row.file), link)
                found[row.id or 0] = link
        return found

    def delete(self) -> None:
        """Remove the links; what they led to stays where else it is."""
        if os.getpid() == self._owner:  # and no copy of that process
            atexit.unregister(self.delete)
            shutil.rmtree(self.folder, ignore_errors=True)
            self._held.close()


def _sweep(folder: Path) -> None:
    """Delete the links of trainings that were killed."""
    for left in folder.glob(f"{PREFIX}*"):
        with suppress(KezakoError), locked(left, patience=0):
            shutil.rmtree(left, ignore_errors=True)
