"""Your own pictures: from a folder or zip, or put into `pictures/` by hand."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path, PurePosixPath

from kezako.dataset.row import Row
from kezako.errors import KezakoError
from kezako.gather.archive import Box, Entry, Folders, open_box, read_or_reject
from kezako.gather.check import OWN_SIDE, Checked, Reject
from kezako.gather.check_pool import Checkers
from kezako.gather.class_names import ClassNames, Place
from kezako.gather.ordered import ordered_map
from kezako.gather.progress import Bar
from kezako.gather.session import AHEAD, Session
from kezako.names import as_shown

SHOWN = 8  # folders named in one sentence
# If a picture is in two sets of a given split, training gets it: there it cannot leak.
_FIRST = {"train": 0, None: 1, "valid": 2, "test": 3}

_Known = dict[tuple[str, str | None, str | None], Row]  # (class, title, sha256) -> its row


async def take_from(
    session: Session,
    path: Path,  # a folder or a zip, with one sub-folder per class
    folder: str | None,  # the class of all its pictures, whatever the sub-folders
) -> None:
    """Copy the pictures of `path`, with a row for each. Raises `KezakoError` if there are none."""
    names = ClassNames(session.recipe)
    with open_box(path, lambda folders: any(map(names.find, folders))) as box:
        chosen = _placed(names, box.entries, folder)
        left = [entry for entry in box.entries if entry not in chosen]
        if not chosen:
            raise KezakoError(_nothing_in(session, path, names, left))
        title = as_shown(path.name)
        _say(session, title, names, left, chosen, box.unread)
        await _take(session, box, chosen, title)


async def _take(session: Session, box: Box, chosen: dict[Entry, Place], title: str) -> None:
    known = _known(session)
    one_at_a_time = asyncio.Lock()

    async def work(item: tuple[Entry, Place]) -> Checked | Reject | None:
        entry, place = item
        async with one_at_a_time:
            outcome = await asyncio.to_thread(read_or_reject, box.read, entry)
        sha256 = outcome.sha256 if isinstance(outcome, Reject) else _sha256(outcome)
        row = known.get((place.folder, entry.name, sha256))
        if row and not (_was_too_small(row) or row.status == "missing"):
            return None
        return outcome if isinstance(outcome, Reject) else await checkers.check(outcome, OWN_SIDE)

    with Bar(title, total=len(chosen)) as bar:
        async with (
            Checkers() as checkers,
            aclosing(ordered_map(chosen.items(), work, lambda: AHEAD)) as results,
        ):
            async for (entry, place), outcome in results:
                row = Row(folder=place.folder, title=entry.name, source=box.kind)
                if outcome:
                    row = _taken_again(known.get((place.folder, entry.name, outcome.sha256)), row)
                    if row.reason == getattr(outcome, "reason", ""):
                        continue  # still too small
                    row.split = place.side
                    session.deduplicator.ingest(row, outcome)
                bar.count(row)


async def adopt_dropped(session: Session) -> None:
    """Add a row for every file in `pictures/` that has none.

    A file that is not an upright JPEG of at most 512 pixels is normalised, and its original is
    moved to `originals/CLASS/`. Files that are not pictures are moved there, too. Files behind a
    symbolic link are not moved.
    """
    root = session.manifest.folder
    names = ClassNames(session.recipe)
    by_file = {row.file: row for row in session.manifest.rows() if row.file}
    with open_box(_made(root / "pictures")) as box:
        strange: list[Entry] = []
        for entry in box.entries:
            row = by_file.get(f"pictures/{_below(entry, root)}")
            if row is not None:
                _revive(session, row)
            else:
                strange.append(entry)
        new = _placed(names, strange, at_home=True)
        left = [entry for entry in strange if entry not in new]
        _say(session, "pictures", names, left, new, box.unread)
        if new:
            await _Adoption(session, box, names).run(new)


class _Adoption:
    def __init__(self, session: Session, box: Box, names: ClassNames):
        self._session, self._box, self._names = session, box, names
        self._root = session.manifest.folder
        self._known = _known(session)
        missing = session.manifest.rows(status="missing")
        self._missing = {row.sha256: row for row in missing}

    async def run(self, new: dict[Entry, Place]) -> None:
        async def work(item: tuple[Entry, Place]) -> Checked | Reject:
            outcome = await asyncio.to_thread(read_or_reject, self._box.read, item[0])
            if isinstance(outcome, Reject):
                return outcome
            return await checkers.check(outcome, OWN_SIDE)

        with Bar("pictures put there by hand", total=len(new)) as bar:
            async with (
                Checkers() as checkers,
                aclosing(ordered_map(new.items(), work, lambda: AHEAD)) as results,
            ):
                async for (entry, place), outcome in results:
                    bar.count(self._adopt(entry, place, outcome))

    def _adopt(self, entry: Entry, place: Place, outcome: Checked | Reject) -> Row:
        path = _below(entry, self._root)
        folder = place.folder
        is_here = path.parent == PurePosixPath(folder)
        outer = path.parts[0]
        name = path.relative_to(outer) if self._names.find(outer) == folder else path
        if is_here and (moved := self._moved(folder, name, outcome)):
            return moved
        title = as_shown(name)
        row = Row(folder=folder, title=title, source="folder", split=place.side)
        fits = isinstance(outcome, Checked) and outcome.fits
        in_place = is_here and fits and as_shown(path) == str(path)
        if path == PurePosixPath(folder, f"{outcome.sha256}.jpg") and not in_place:
            path = self._renamed(path)  # the normalised picture would overwrite it
        before = self._known.get((folder, title, outcome.sha256))
        if before is None or before.status == "missing":
            if in_place:
                row.file = f"pictures/{path}"
            else:
                row = _taken_again(before, row)
            self._settle(row, outcome, entry)
            if in_place and row.status == "kept":
                return row
        if not entry.linked:
            self._move_aside(path, folder, name)
        return row

    def _settle(self, row: Row, outcome: Checked | Reject, entry: Entry) -> None:
        try:
            self._session.deduplicator.ingest(row, outcome)
        except OSError as error:
            if not entry.linked:
                raise
            raise KezakoError(
                f"pictures/{row.folder} is a link to a folder that cannot be written to "
                f"({error.strerror}). Remove the link, and take its pictures with: kezako gather "
                f"{self._session.recipe.name} --class {row.folder} --from FOLDER"
            ) from error

    def _renamed(self, path: PurePosixPath) -> PurePosixPath:
        pictures, other = self._root / "pictures", path.with_name(f"original-{path.name}")
        os.replace(pictures / path, pictures / other)
        return other

    def _moved(self, folder: str, name: PurePosixPath, outcome: Checked | Reject) -> Row | None:
        # The user moved a gathered picture to another class: its row goes with it.
        row = self._missing.get(name.stem)
        if row is None or not isinstance(outcome, Checked):
            return None
        if row.url and self._session.manifest.rows(folder=folder, url=row.url):
            return None
        changed = replace(row, folder=folder, status="kept", reason=None, mark=f"move:{folder}")
        changed.file = f"pictures/{folder}/{name}"
        self._session.deduplicator.revive(changed)
        return changed

    def _move_aside(self, path: PurePosixPath, folder: str, name: PurePosixPath) -> None:
        target = self._root / "originals" / folder / name
        number = 1
        while target.exists():
            number += 1
            target = target.with_name(f"{name.stem}-{number}{name.suffix}")
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self._root / "pictures" / path, target)


def _placed(
    names: ClassNames, entries: Iterable[Entry], folder: str | None = None, at_home: bool = False
) -> dict[Entry, Place]:
    """The entries that belong to a class, training pictures first."""
    entries = list(entries)
    places = names.places({entry.folders for entry in entries}, folder, at_home)
    chosen = [(entry, places[entry.folders]) for entry in entries if entry.folders in places]
    return dict(sorted(chosen, key=lambda item: _FIRST[item[1].side]))


def _known(session: Session) -> _Known:
    rows = session.manifest.rows()
    return {(row.folder, row.title and as_shown(row.title), row.sha256): row for row in rows}


def _taken_again(before: Row | None, new: Row) -> Row:
    """The earlier row of the same picture, whose file may be gone; else the new one."""
    if before is None:
        return new
    return replace(before, file=None) if before.status == "missing" else before


def _was_too_small(row: Row) -> bool:
    # The limit for your own pictures was once as high as for pictures from the web.
    return row.status == "refused" and str(row.reason).startswith("too small")


def _below(entry: Entry, root: Path) -> PurePosixPath:
    """The path of a file relative to `root/pictures`, as it is on disk."""
    return PurePosixPath(Path(str(entry.key)).relative_to(root / "pictures").as_posix())


def _revive(session: Session, row: Row) -> None:
    if row.status == "missing":  # its file is back
        row.status, row.reason = "kept", None
        session.deduplicator.revive(row)


def _say(
    session: Session,
    title: str,  # of the box
    names: ClassNames,
    left: list[Entry],  # entries that belong to no class
    chosen: dict[Entry, Place],
    unread: list[str],
) -> None:
    """Note which files were left out, and which may have been meant for another class."""
    if left:
        session.notes.append(
            f"Left out of {title}, because no class of {session.recipe.name} is called so: "
            f"{_listed(names, left)}."
        )
    passed = {entry.folders: place for entry, place in chosen.items() if place.passed}
    if passed:
        path, place = min(passed.items())
        count = sum(bool(place.passed) for place in chosen.values())
        session.notes.append(
            f"{count} files of {title} lie in folders of two classes, such as {'/'.join(path)}: "
            f"{' and '.join((*place.passed, place.folder))}. The inner folder counts, here "
            f"{place.folder}."
        )
    if unread:
        more = f" and {len(unread) - SHOWN} more" if len(unread) > SHOWN else ""
        session.notes.append(f"Not read in {title}: {', '.join(unread[:SHOWN])}{more}.")


def _nothing_in(session: Session, path: Path, names: ClassNames, entries: list[Entry]) -> str:
    if not entries:
        return f"{as_shown(path)} holds no files."
    recipe = session.recipe
    return (
        f"No folder of {as_shown(path)} is named after a class of {recipe.name} "
        f"({', '.join(recipe.folders)}). It holds {_listed(names, entries)}. Rename its folders, "
        f"or write their names among the searches of a class in {recipe.path or 'the recipe'}, "
        "or name the class of all its pictures with --class."
    )


def _listed(names: ClassNames, entries: list[Entry]) -> str:
    """The folders of these files, each with its number of files and the class it may mean."""
    folders = Counter(entry.folders for entry in entries)
    listed = [f"{'/'.join(path) or 'no folder'} ({_hint(names, path, n)})"
              for path, n in folders.most_common(SHOWN)]  # fmt: skip
    more = f" and {len(folders) - SHOWN} more" if len(folders) > SHOWN else ""
    return f"{', '.join(listed)}{more}"


def _hint(names: ClassNames, path: Folders, count: int) -> str:
    for name in reversed(path):
        if several := names.sharing(name):
            return f"{count}: a search of {' and '.join(several)}"
        if near := names.nearest(name):
            return f"{count}: {near}?"
    return str(count)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
