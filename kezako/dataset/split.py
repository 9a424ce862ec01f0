"""On which side each picture lies: to be learnt, to judge the training, or to be measured once.

Copies of one photo are a group, and a group lies on one side. Sides are decided once: a picture
that has one keeps it, so that a model trained again is judged on the same pictures.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kezako.dataset.manifest import Manifest
from kezako.dataset.row import SIDES, Row, Split

BOTH_SIDES = "near to pictures on both sides of the split"
# The reason of what is left out of a series, by which it is known: see `series`.
BETWEEN = "between training and validation: it is near to both"
GAP = 0.1  # share of a series that is left out between its two sides
FEWEST = 3  # pictures of a series that can be divided

_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Grouped:
    """What was made of the pictures that are new."""

    copies: int = 0  # of them that are copies of another picture
    given: Counter[Split] = field(default_factory=Counter)  # side -> pictures whose folder named it
    leaked: Counter[Split] = field(default_factory=Counter)  # and that are on another side as well
    freed: dict[str, Split] = field(default_factory=dict)  # class -> side that is divided anew


def group(manifest: Manifest) -> Grouped:
    """Put copies into groups, and each group on one side where one of them has a side.

    A new picture may bring the side that its folder named. Where copies name several, the group
    is learnt: what is measured must not have been seen. What is near to two sides that were
    decided before is kept out.
    """
    rows = [row for row in manifest.kept() if row.phash]
    new = [i for i, row in enumerate(rows) if row.near is None]
    if not new:
        return Grouped()
    named = {i for i in new if rows[i].split}
    grouping = _Grouping(rows, new, manifest)
    grouping.run()
    freed = _freed(rows, named)
    given = Counter(side for i in named if (side := rows[i].split))
    manifest.place([rows[i] for i in new])
    return Grouped(grouping.copies, given, grouping.leaked, freed)


class _Grouping:
    def __init__(self, rows: Sequence[Row], new: Sequence[int], manifest: Manifest):
        from kezako.dataset.hashes import Hashes  # here, so that reading a manifest needs no numpy

        self._rows = rows
        self._hashes = Hashes(rows, new, manifest.folder)
        self._series = series(manifest)
        self._waiting = deque(new)
        self._open = set(new)  # in no group yet
        self.copies = 0
        self.leaked: Counter[Split] = Counter()

    def run(self) -> None:
        while self._waiting:
            if (start := self._waiting.popleft()) in self._open:
                self._place(self._component(start))

    def _component(self, start: int) -> list[int]:
        """The new pictures that lead to `start` from copy to copy."""
        component = [start]
        self._open.remove(start)
        for index in component:
            more = [other for other in self._near(index) if other in self._open]
            self._open.difference_update(more)
            component += more
        return component

    def _place(self, component: list[int]) -> None:
        members = [self._rows[index] for index in component]
        decided = [row for index in component for row in self._decided(index)]
        sides = {row.split for row in decided} - {None}
        self.copies += len(members) - (not decided)
        if len(sides) > 1:
            self._place_one_by_one(component)
            return
        named = sides or {row.split for row in members}
        side = next((side for side in SIDES if side in named), None)
        number = min(int(row.near or row.id or 0) for row in decided or members)
        for row in members:
            self._join(row, number, side)

    def _place_one_by_one(self, component: list[int]) -> None:
        """Groups of several sides meet here: each picture goes to the side that it is near to."""
        while component:
            rest = []
            for index in sorted(component):
                if decided := [row for row in self._decided(index) if row.split]:
                    self._join_nearest(self._rows[index], decided)
                else:
                    rest.append(index)
            if len(rest) == len(component):  # what led to them was kept out
                self._open |= set(rest)
                self._waiting.extend(rest)
                return
            component = rest

    def _join_nearest(self, row: Row, decided: list[Row]) -> None:
        sides = {other.split for other in decided}
        if len(sides) > 1 and row.folder not in self._series:
            row.status, row.reason, row.split = "duplicate", BOTH_SIDES, None
            return
        side = next(side for side in SIDES if side in sides)
        number = min(int(other.near or 0) for other in decided if other.split == side)
        self._join(row, number, side)

    def _join(self, row: Row, number: int, side: Split | None) -> None:
        if row.split not in (None, side):
            self.leaked[row.split] += 1
        row.near, row.split = number, side

    def _decided(self, index: int) -> list[Row]:
        return [self._rows[i] for i in self._near(index) if self._rows[i].near is not None]

    def _near(self, index: int) -> list[int]:
        near = self._hashes.near(index).nonzero()[0].tolist()
        return [i for i in near if i != index and self._rows[i].status == "kept"]


def _freed(
    rows: Sequence[Row],
    named: Iterable[int],  # the new ones whose folder named a side
) -> dict[str, Split]:
    """Take the side from a class's new pictures where its given split lacks one to learn or judge.

    They are divided like any others.
    """
    held: dict[str, set[Split | None]] = defaultdict(set)
    for row in rows:
        if row.status == "kept":
            held[row.folder].add(row.split)
    freed: dict[str, Split] = {}
    for index in named:
        row = rows[index]
        if row.split is None or {"train", "valid"} <= held[row.folder] or None in held[row.folder]:
            continue
        first = next(side for side in SIDES if side in held[row.folder])
        if row.split == first:
            freed[row.folder] = first
            row.split = None
    return freed


def divide(manifest: Manifest, share: float, seed: int, mend: bool = True) -> None:
    """Decide train or valid for every group that has no side yet.

    Groups are taken in an order drawn from `seed` and their oldest picture's hash, so that the
    same pictures split alike on every machine; each class gets `share` of its pictures as
    validation, test pictures not counted. `mend`: find validation pictures for a class that has
    too few, among those that have a side already, too, where the class has none.
    """
    division = _Division(manifest, share)
    new = [rows for rows in division.groups.values() if all(row.split is None for row in rows)]
    new.sort(key=lambda rows: _draw(seed, min(str(row.sha256) for row in rows)))
    for rows in division.groups.values():
        division.complete(rows)
    for rows in new:
        division.add(rows)
    if mend:
        for folder in division.total:
            division.mend(folder, new)
    manifest.place(division.changed.values())


class _Division:
    """The pictures that train or validate, and how many of each class do."""

    def __init__(self, manifest: Manifest, share: float):
        self._share = share
        self.groups: dict[int, list[Row]] = defaultdict(list)
        for row in manifest.kept():
            if row.split != "test":
                self.groups[row.near or 0].append(row)
        rows = [row for rows in self.groups.values() for row in rows]
        self.total = Counter(row.folder for row in rows)
        self._valid = Counter(row.folder for row in rows if row.split == "valid")
        self.changed: dict[int | None, Row] = {}

    def complete(self, rows: list[Row]) -> None:
        """Give the others of a group the side that one of them has."""
        side = next((row.split for row in rows if row.split), None)
        for row in rows:
            if side and row.split is None:
                self._set(row, side)

    def add(self, rows: list[Row]) -> None:
        """Put a whole group on the side that its classes lack."""
        counts = Counter(row.folder for row in rows)
        room = all(self._valid[name] + n <= self._wanted(name) for name, n in counts.items())
        for row in rows:
            self._set(row, "valid" if room else "train")

    def mend(self, folder: str, new: Iterable[list[Row]]) -> None:
        """Find validation pictures for a class whose groups are too large to be any."""
        lacking = self._wanted(folder) - self._valid[folder]
        if 2 * lacking <= self._wanted(folder):
            return
        # Where none judges, the class was never trained, so that its sides are no promise.
        groups = new if self._valid[folder] else self.groups.values()
        own = [[row for row in rows if row.folder == folder] for rows in groups]
        own = sorted((rows for rows in own if rows and rows[0].split == "train"), key=len)
        whole = [rows for rows in own if rows == self.groups[rows[0].near or 0]]
        for rows in whole:
            most = min(self._wanted(folder), self.total[folder] // 2 - len(rows) + 1)
            if self._valid[folder] < most:
                for row in rows:
                    self._set(row, "valid")
        lacking = self._wanted(folder) - self._valid[folder]
        if 2 * lacking > self._wanted(folder) and own and len(own[-1]) >= FEWEST:
            self._cut(own[-1], lacking)

    def _cut(self, rows: list[Row], count: int) -> None:
        """Divide a series (a burst, the frames of a film) by its order, with a gap between."""
        rows = sorted(rows, key=_order)
        count = min(count, (len(rows) - 1) // 2)
        gap = max(1, round(GAP * len(rows)))
        valid, between = rows[-count:], rows[-count - gap : -count]
        for row in valid:
            self._set(row, "valid")
            row.near = min(int(other.id or 0) for other in valid)
        for row in between:
            row.status, row.reason, row.split = "duplicate", BETWEEN, None
            self.changed[row.id] = row

    def _wanted(self, folder: str) -> int:
        return max(1, round(self._share * self.total[folder]))

    def _set(self, row: Row, side: Split) -> None:
        self._valid[row.folder] += (side == "valid") - (row.split == "valid")
        row.split = side
        self.changed[row.id] = row


def conflicts(manifest: Manifest) -> list[list[Row]]:
    """Groups of near-duplicates that lie under more than one class.

    Less those of series: before one background, one class's frames are near to another's.
    """
    divided = set(series(manifest))
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in manifest.kept():
        if row.near is not None:
            groups[row.near].append(row)
    return [
        rows
        for rows in groups.values()
        if len(folders := {row.folder for row in rows}) > 1 and not folders <= divided
    ]


def series(manifest: Manifest) -> dict[str, int]:
    """Classes whose pictures were divided by their order -> how many were left out between."""
    rows = manifest.rows(reason=BETWEEN, status="duplicate")
    return dict(Counter(row.folder for row in rows))


def notes(manifest: Manifest) -> list[str]:
    """What there is to know of the pictures before a figure is believed, as sentences."""
    valid = Counter(row.folder for row in manifest.rows(status="kept", split="valid"))
    return [
        f"{folder}: nearly all pictures are one series, such as a burst or the frames of a "
        f"film. The last {valid[folder]} judge the training and {between} before them are "
        "left out, so they are much alike, and the error flatters: of other days and places "
        "it says little. Pictures from several occasions make it true."
        for folder, between in series(manifest).items()
    ]


def _order(row: Row) -> tuple[list[tuple[int, str]], int]:
    """As a person orders file names: 9 before 10. Found pictures, in the order of their finding."""
    name = "" if row.url else row.title or row.file or ""
    parts = [part.lstrip("0") if part.isdecimal() else part for part in _NUMBER.split(name)]
    return [(len(part) if part.isdecimal() else 0, part) for part in parts], row.id or 0


def _draw(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()
