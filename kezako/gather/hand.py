"""Pictures that a person saved: from a folder or zip, or dropped straight into `pictures/`."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path, PurePosixPath

from kezako.errors import KezakoError
from kezako.gather.archive import Box, Entry, open_box, read_or_reject
from kezako.gather.bars import Bar
from kezako.gather.check import Checked, Reject
from kezako.gather.checkers import Checkers
from kezako.gather.flow import in_order
from kezako.gather.folders import class_among, class_folder
from kezako.gather.session import AHEAD, Session
from kezako.manifest import Row

Named = tuple[str, str | None, str | None]  # class, name as it came, sha256
SHOWN = 5  # folders or files named in one sentence


async def take_from(
    session: Session,
    path: Path,  # a folder or a zip, with one sub-folder a class
    folder: str | None,  # the class of all its pictures, whatever its sub-folders
) -> None:
    """Copy the pictures of `path` in, each as a row. Raises `KezakoError` where none can be."""
    with open_box(path) as box:
        chosen = {
            entry: found
            for entry in box.entries
            if (found := folder or class_among(session.recipe, entry.folders))
        }
        _say_left_out(session, path, [entry for entry in box.entries if entry not in chosen])
        if not chosen:
            raise KezakoError(_nothing_in(session, path, box))
        await _take(session, box, chosen, path.name)


async def _take(session: Session, box: Box, chosen: dict[Entry, str], title: str) -> None:
    seen, lost = _by_name(session.manifest.rows())
    one_at_a_time = asyncio.Lock()

    async def work(item: tuple[Entry, str]) -> Checked | Reject | None:
        entry, folder = item
        async with one_at_a_time:
            outcome = await asyncio.to_thread(read_or_reject, box.read, entry)
        sha256 = outcome.sha256 if isinstance(outcome, Reject) else _sha256(outcome)
        if (folder, entry.name, sha256) in seen:
            return None
        return outcome if isinstance(outcome, Reject) else await checkers.check(outcome)

    with Bar(title, total=len(chosen)) as bar:
        async with (
            Checkers() as checkers,
            aclosing(in_order(chosen.items(), work, lambda: AHEAD)) as results,
        ):
            async for (entry, folder), outcome in results:
                row = Row(folder=folder, title=entry.name, source=box.kind)
                if outcome:
                    row = lost.pop((folder, entry.name, outcome.sha256), row)
                    session.keeper.settle(row, outcome)
                bar.count(row)


async def adopt_dropped(session: Session) -> None:
    """Give every file under `pictures/` that has no row its row.

    What is no upright JPEG of at most 512 pixels is normalised; its original goes to
    `originals/CLASS/`, and so does what is no picture.
    """
    root = session.manifest.folder
    by_file = {row.file: row for row in session.manifest.rows() if row.file}
    with open_box(_made(root / "pictures")) as box:
        new: dict[Entry, str] = {}
        strange: list[Entry] = []
        for entry in box.entries:
            row = by_file.get(f"pictures/{entry.name}")
            if row is not None:
                _revive(session, row)
            elif entry.folders and (found := class_folder(session.recipe, entry.folders[0])):
                new[entry] = found
            else:
                strange.append(entry)
        _say_left_out(session, root / "pictures", strange)
        if new:
            await _Adoption(session, box).run(new)


class _Adoption:
    def __init__(self, session: Session, box: Box):
        self._session, self._box, self._root = session, box, session.manifest.folder
        rows = session.manifest.rows()
        self._seen, self._lost = _by_name(rows)
        self._missing = {row.sha256: row for row in rows if row.status == "missing"}

    async def run(self, new: dict[Entry, str]) -> None:
        async def work(item: tuple[Entry, str]) -> Checked | Reject:
            outcome = await asyncio.to_thread(read_or_reject, self._box.read, item[0])
            return outcome if isinstance(outcome, Reject) else await checkers.check(outcome)

        with Bar("pictures put there by hand", total=len(new)) as bar:
            async with (
                Checkers() as checkers,
                aclosing(in_order(new.items(), work, lambda: AHEAD)) as results,
            ):
                async for (entry, folder), outcome in results:
                    bar.count(self._adopt(entry, folder, outcome))

    def _adopt(self, entry: Entry, folder: str, outcome: Checked | Reject) -> Row:
        name = PurePosixPath(*PurePosixPath(entry.name).parts[1:])
        if moved := self._moved(entry, folder, name, outcome):
            return moved
        row = Row(folder=folder, title=str(name), source="folder")
        in_place = entry.folders[0] == folder and isinstance(outcome, Checked) and outcome.fits
        if entry.name == f"{folder}/{outcome.sha256}.jpg" and not in_place:
            entry = self._renamed(entry, folder)  # what is kept would overwrite it
        if (folder, row.title, outcome.sha256) not in self._seen:
            if in_place:
                row.file = f"pictures/{entry.name}"
            else:
                row = self._lost.pop((folder, row.title, outcome.sha256), row)
            self._session.keeper.settle(row, outcome)
            if in_place and row.status == "kept":
                return row
        self._move_aside(entry, folder, name)
        return row

    def _renamed(self, entry: Entry, folder: str) -> Entry:
        pictures = self._root / "pictures"
        other = f"{folder}/original-{PurePosixPath(entry.name).name}"
        os.replace(pictures / entry.name, pictures / other)
        return Entry(other, str(pictures / other))

    def _moved(
        self, entry: Entry, folder: str, name: PurePosixPath, outcome: Checked | Reject
    ) -> Row | None:
        # Somebody dragged a gathered picture to another class: its row goes with it.
        row = self._missing.get(name.stem)
        if row is None or not isinstance(outcome, Checked) or entry.folders[0] != folder:
            return None
        if row.url and self._session.manifest.rows(folder=folder, url=row.url):
            return None
        changed = replace(row, folder=folder, status="kept", reason=None, mark=f"move:{folder}")
        changed.file = f"pictures/{entry.name}"
        self._session.keeper.revive(changed)
        return changed

    def _move_aside(self, entry: Entry, folder: str, name: PurePosixPath) -> None:
        target = self._root / "originals" / folder / name
        number = 1
        while target.exists():
            number += 1
            target = target.with_name(f"{name.stem}-{number}{name.suffix}")
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self._root / "pictures" / entry.name, target)


def _by_name(rows: list[Row]) -> tuple[set[Named], dict[Named, Row]]:
    """What was taken in before, and of that the rows whose file is gone, to be used again."""
    lost = {
        (row.folder, row.title, row.sha256): replace(row, file=None)
        for row in rows
        if row.status == "missing"
    }
    return {(row.folder, row.title, row.sha256) for row in rows} - lost.keys(), lost


def _revive(session: Session, row: Row) -> None:
    if row.status == "missing":  # its file is back
        row.status, row.reason = "kept", None
        session.keeper.revive(row)


def _say_left_out(session: Session, path: Path, entries: list[Entry]) -> None:
    folders = Counter("/".join(entry.folders) for entry in entries)
    if not folders:
        return
    named = [f"{name or 'no folder'} ({n})" for name, n in folders.most_common(SHOWN)]
    more = f" and {len(folders) - SHOWN} more" if len(folders) > SHOWN else ""
    session.notes.append(
        f"Left out of {path.name}, because no class of {session.recipe.name} is called so: "
        f"{', '.join(named)}{more}."
    )


def _nothing_in(session: Session, path: Path, box: Box) -> str:
    if not box.entries:
        return f"{path} holds no files."
    return (
        f"No sub-folder of {path} is named after a class of {session.recipe.name} "
        f"({', '.join(session.recipe.folders)}). Rename its folders, "
        "or name the class of all its pictures with --class."
    )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
