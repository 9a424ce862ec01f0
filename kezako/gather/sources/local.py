"""`folder` and `zip`: pictures saved beside the recipe, counted like those from the web.

`folder` reads `data/NAME/saved/CLASS/*`, and `zip` reads `data/NAME/saved/*.zip` with a folder
CLASS inside. To add pictures from elsewhere, all at once, use `kezako gather NAME --from`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

from kezako.errors import KezakoError
from kezako.gather.archive import Box, Entry, Folders, Unreadable, open_box
from kezako.gather.class_names import ClassNames
from kezako.gather.settings import Settings
from kezako.gather.sources import Found, Kind, SourceStopped, register
from kezako.names import as_shown, spelling


@runtime_checkable
class Readable(Protocol):
    """A source that reads its pictures itself; its URLs are never fetched."""

    name: str

    def read(self, url: str) -> bytes:
        """The bytes of what it found as `url`. Raises `Unreadable`."""
        ...


class _Saved(ABC):
    name = ""
    cannot_filter: tuple[str, ...] = ()

    def __init__(self, settings: Settings):
        self._place = (settings.data or Path()) / "saved"
        self._class = settings.folder or ""
        self._names = ClassNames(settings.recipe) if settings.recipe else None
        self._open = ExitStack()  # closes its archives when the source is garbage-collected
        self._unopened: list[str] = []  # one message for each archive that cannot be opened

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """At most `limit` of the saved pictures, whatever the query. Raises `SourceStopped`."""
        offered = list(self._entries)[:limit]
        yield from (Found(url, title=url.rsplit("/", 1)[-1]) for url in offered)
        if len(offered) < limit:
            there = f"{self.name}: {len(offered)} pictures of this class in {self._place}."
            kind: Kind = "broken" if self._unopened else "empty"
            raise SourceStopped(kind, " ".join([there, *self._unopened]))

    def read(self, url: str) -> bytes:
        """The bytes of one of them. Raises `Unreadable`."""
        if url not in self._entries:
            gone = f"not found: it is no longer in {self._place.name}/"
            raise Unreadable(f"{gone}, or in an archive that cannot be opened")
        box, entry = self._entries[url]
        return box.read(entry)

    @cached_property
    def _entries(self) -> dict[str, tuple[Box, Entry]]:
        found = {}
        for path in self._boxes():
            try:
                box = self._open.enter_context(open_box(path, self._fits))
            except KezakoError as error:
                self._unopened.append(str(error))
                continue
            ours = self._ours({entry.folders for entry in box.entries})
            for entry in box.entries:
                if entry.folders in ours:
                    found[f"{self.name}:{as_shown(path.name)}/{entry.name}"] = (box, entry)
        return found

    def _fits(self, folders: Folders) -> bool:
        return bool(self._ours({folders}))

    def _ours(self, paths: set[Folders]) -> set[Folders]:
        """The paths that belong to the class being gathered."""
        if self._names is None:
            wanted = spelling(self._class)
            return {path for path in paths if wanted in map(spelling, path)}
        places = self._names.places(paths)
        return {path for path, place in places.items() if place.folder == self._class}

    @abstractmethod
    def _boxes(self) -> list[Path]:
        """The folder, or the archives, with the pictures."""


@register("folder")
class Folder(_Saved):
    """Reads `data/NAME/saved/CLASS/`."""

    name = "folder"

    def _boxes(self) -> list[Path]:
        return [self._place] if self._place.is_dir() else []


@register("zip")
class Zip(_Saved):
    """Reads the archives in `data/NAME/saved/`."""

    name = "zip"

    def _boxes(self) -> list[Path]:
        return sorted(self._place.glob("*.zip"))
