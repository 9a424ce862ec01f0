"""Split pictures into training, validation and test sets.

Copies of one photo form a group, and a group is never divided between sets. Sets are decided
once: a picture keeps its set, so that a model that is trained again is validated on the same
pictures.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kezako.dataset.manifest import Manifest
from kezako.dataset.row import SIDES, Row, Split
from kezako.recipe import Recipe

BOTH_SIDES = "near to pictures on both sides of the split"
# The reason written for what is left out of a series; `series` finds them by it.
BETWEEN = "between training and validation: it is near to both"
GAP = 0.1  # share of a series that is left out between training and validation
FEWEST = 3  # a series needs so many pictures to be divided

_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Grouped:
    """What `group` did with the new pictures."""

    copies: int = 0  # new pictures that are copies of another one
    given: Counter[Split] = field(default_factory=Counter)  # set -> pictures whose folder named it
    # Of those, pictures with a copy in another set.
    leaked: Counter[Split] = field(default_factory=Counter)
    # Class -> the given set that was divided again.
    freed: dict[str, Split] = field(default_factory=dict)


def group(manifest: Manifest) -> Grouped:
    """Put copies into groups, and all of a group into one set if one of them has a set.

    A new picture may bring the set that its folder named. If copies name several, the whole group
    goes to training: validation and test pictures must not have been trained on. A picture that is
    near to two groups with different sets is left out.
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
        """The new pictures connected to `start` through copies of copies."""
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
        """Several sets meet in this component: each picture joins the set that it is near to."""
        while component:
            rest = []
            for index in sorted(component):
                if decided := [row for row in self._decided(index) if row.split]:
                    self._join_nearest(self._rows[index], decided)
                else:
                    rest.append(index)
            if len(rest) == len(component):  # the pictures that connected them were left out
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
    """Drop a class's given split where it has no training or no validation pictures.

    Those new pictures are then divided like any others. Returns class -> the set that was dropped.
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


def divide(manifest: Manifest, recipe: Recipe, mend: bool = True) -> None:
    """Choose training or validation for every group that has no set yet.

    The order of groups is drawn from the recipe's seed and their pictures' lowest SHA-256, so that
    the same pictures split the same way on every machine. Each class gets the recipe's share of its
    pictures for validation; test pictures do not count. `mend`: find validation pictures for a
    class that has too few; if it has none, also among pictures that are in the training set
    already.
    """
    division = _Division(manifest, recipe.validation_share)
    new = [rows for rows in division.groups.values() if all(row.split is None for row in rows)]
    new.sort(key=lambda rows: _draw(recipe.seed, min(str(row.sha256) for row in rows)))
    for rows in division.groups.values():
        division.complete(rows)
    for rows in new:
        division.add(rows)
    if mend:
        for folder in filter(recipe.trains_on, division.total):
            division.mend(folder, new)
    manifest.place(division.changed.values())


class _Division:
    """The pictures of the training and validation sets, and their numbers per class."""

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
        """Give the rest of a group the set that one of them has."""
        side = next((row.split for row in rows if row.split), None)
        for row in rows:
            if side and row.split is None:
                self._set(row, side)

    def add(self, rows: list[Row]) -> None:
        """Put a whole group into validation if all its classes need some, else into training."""
        counts = Counter(row.folder for row in rows)
        room = all(self._valid[name] + n <= self._wanted(name) for name, n in counts.items())
        for row in rows:
            self._set(row, "valid" if room else "train")

    def mend(self, folder: str, new: Iterable[list[Row]]) -> None:
        """Find validation pictures for a class whose groups are too large for it."""
        lacking = self._wanted(folder) - self._valid[folder]
        if 2 * lacking <= self._wanted(folder):
            return
        # A class without validation pictures was never trained, so its sets may still change.
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
        """Divide a series (a burst, the frames of a film) in order, with a gap between the sets."""
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
    """Groups of near-duplicates with pictures of more than one class.

    Groups of series are left out: with the same background, frames of two classes look alike.
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
    """Classes that were divided as a series -> how many pictures were left out of each."""
    rows = manifest.rows(reason=BETWEEN, status="duplicate")
    return dict(Counter(row.folder for row in rows))


def notes(manifest: Manifest) -> list[str]:
    """What you should know about the pictures before you trust a figure, as sentences."""
    valid = Counter(row.folder for row in manifest.rows(status="kept", split="valid"))
    return [
        f"{folder}: nearly all pictures are one series, such as a burst or the frames of a "
        f"film. The last {valid[folder]} judge the training and {between} before them are "
        "left out, so they are much alike, and the error flatters: of other days and places "
        "it says little. Pictures from several occasions make it true."
        for folder, between in series(manifest).items()
    ]


def _order(row: Row) -> tuple[list[tuple[int, str]], int]:
    """Natural order of file names (9 before 10); for pictures from the web, the order found."""
    name = "" if row.url else row.title or row.file or ""
    parts = [part.lstrip("0") if part.isdecimal() else part for part in _NUMBER.split(name)]
    return [(len(part) if part.isdecimal() else 0, part) for part in parts], row.id or 0


def _draw(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()
