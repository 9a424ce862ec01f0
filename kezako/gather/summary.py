"""Summaries of a gathering for people: counts by class and by reason, and tables."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from kezako.dataset.manifest import Manifest
from kezako.dataset.row import SIDES, Row, Split
from kezako.dataset.split import Grouped, conflicts
from kezako.names import as_shown
from kezako.recipe import SOMETHING_ELSE, Recipe

COLUMNS = (
    "id", "folder", "status", "reason", "split", "near", "mark", "file", "width", "height",
    "source", "query", "title", "creator", "licence", "url", "page", "fetched_at", "sha256",
    "phash",
)  # fmt: skip
_SHOWN = {"folder": 16, "status": 9, "split": 5, "source": 10, "reason": 40, "title": 30, "url": 60}
_SOMETHING_ELSE = (
    f"{SOMETHING_ELSE}: {{}} kept; they show none of the classes, and set the limit of "
    '"none of these"'
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_table(rows: Sequence[Row]) -> Iterator[str]:
    """A text table with the most useful columns, each cut to its width, line by line."""
    yield "  ".join(f"{name:{width}}" for name, width in _SHOWN.items()).rstrip()
    for row in rows:
        cells = (_cut(getattr(row, name), width) for name, width in _SHOWN.items())
        yield "  ".join(cells).rstrip()


def as_csv(rows: Sequence[Row]) -> str:
    """All columns as CSV. Cells that a spreadsheet would run as a formula are quoted as text."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_harmless(getattr(row, name)) for name in COLUMNS])
    return target.getvalue()


def _cut(value: object, width: int) -> str:
    text = "" if value is None else as_shown(value)
    return f"{text if len(text) <= width else text[: width - 1] + '…':{width}}"


def _harmless(value: object) -> object:
    if not isinstance(value, str):
        return value
    return f"'{as_shown(value)}" if value.startswith(_FORMULA) else as_shown(value)


WORDS = {"train": "training", "valid": "validation", "test": "test"}  # for the sides of a split


@dataclass(frozen=True)
class Summary:
    """The state of one classifier's pictures after gathering."""

    name: str
    kept: dict[str, int]  # class -> number of pictures that training may use
    wanted: dict[str, int]  # class -> number asked for; empty if none was
    reasons: dict[str, Counter[str]]  # class -> "kept" or why not -> how many
    waiting: dict[str, int]  # class -> number of URLs found but not needed so far
    conflicts: int = 0  # groups of near-duplicates under more than one class
    added: int = 0  # new pictures of this run
    notes: tuple[str, ...] = field(default=())  # messages of sources, folders left out
    next: str = ""  # what to do now: train, or find more pictures
    something_else: int = 0  # pictures of a single-label recipe that show none of its classes

    @property
    def rows(self) -> list[tuple[str, int, int, float]]:
        """(class, kept, tried, kept / tried) for each class."""
        tried = {folder: sum(counts.values()) for folder, counts in self.reasons.items()}
        return [
            (folder, kept, tried.get(folder, 0), kept / max(1, tried.get(folder, 0)))
            for folder, kept in self.kept.items()
        ]

    def __repr__(self) -> str:
        together = sum(self.kept.values()) + self.something_else
        lines = [f"{self.name}: {together} pictures, {self.added} of them new"]
        width = max(map(len, self.kept), default=0)
        for folder, kept, tried, share in self.rows:
            of = f" of {self.wanted[folder]}" if folder in self.wanted else ""
            lines.append(f"  {folder:{width}}  {kept}{of} kept, {tried} tried ({share:.0%})")
            lines += [f"  {'':{width}}    {n} {why}" for why, n in self._failures(folder)]
        if self.something_else:
            lines.append(f"  {_SOMETHING_ELSE.format(self.something_else)}")
        if self.conflicts:
            lines.append(f"  {self.conflicts} pictures lie under more than one class: clean them")
        lines += [f"  {note}" for note in self.notes]
        return "\n".join([*lines, *filter(None, [self.next])])

    def _repr_html_(self) -> str:
        head = "<tr><th>class</th><th>kept</th><th>tried</th><th>yield</th><th>why not</th></tr>"
        body = "".join(
            f"<tr><td>{escape(folder)}</td><td>{kept}</td><td>{tried}</td><td>{share:.0%}</td>"
            f"<td>{escape(', '.join(f'{n} {why}' for why, n in self._failures(folder)))}</td></tr>"
            for folder, kept, tried, share in self.rows
        )
        said = [_SOMETHING_ELSE.format(self.something_else)] if self.something_else else []
        notes = "".join(f"<p>{escape(note)}</p>" for note in (*said, *self.notes))
        return f"<table>{head}{body}</table>{notes}<p>{escape(self.next)}</p>"

    def _failures(self, folder: str) -> list[tuple[str, int]]:
        counts = self.reasons.get(folder, Counter())
        return [(why, n) for why, n in counts.most_common() if why != "kept"]


def summarise(
    manifest: Manifest,
    recipe: Recipe,  # its classes are shown even if they are empty
    wanted: dict[str, int],  # class -> pictures asked for
    before: int,  # pictures kept before this run
    notes: Sequence[str],
) -> Summary:
    """The summary of everything in `manifest`."""
    kept: Counter[str] = Counter(dict.fromkeys(recipe.folders, 0))
    reasons: dict[str, Counter[str]] = {folder: Counter() for folder in recipe.folders}
    waiting: Counter[str] = Counter()
    for row in manifest.rows():
        if row.status == "offered":  # reviewed in the cleaner, not here
            continue
        if row.status == "pending":
            waiting[row.folder] += 1
            continue
        kept[row.folder] += row.status == "kept"
        reasons.setdefault(row.folder, Counter())[why(row)] += 1
    added = max(0, kept.total() - before)  # some may be set aside
    something_else = 0
    if recipe.task == "single":
        reasons.pop(SOMETHING_ELSE, None)
        something_else = kept.pop(SOMETHING_ELSE, 0)
    return Summary(
        name=recipe.name,
        kept=dict(kept),
        wanted=wanted,
        reasons=reasons,
        waiting=dict(waiting),
        conflicts=len(conflicts(manifest)),
        added=added,
        notes=tuple(notes),
        something_else=something_else,
    )


def split_notes(
    grouped: Grouped,
    crossed: Counter[Split],  # given set -> pictures that are the same as one in another set
) -> list[str]:
    """What was done with a split given by folders, and with copies, as sentences."""
    notes = []
    if any(grouped.given.values()):
        notes.append(f"The split of the folders is kept: {_of_sides(grouped.given)} pictures.")
    if grouped.given["test"]:
        notes.append("Test pictures are kept apart, and measured once, after the training.")
    for side in SIDES:
        if folders := [name for name, freed in grouped.freed.items() if freed == side]:
            notes.append(
                f"{', '.join(folders)}: the folders give no training and validation pictures "
                f"both, so those for {WORDS[side]} are divided."
            )
    if leaked := grouped.leaked + crossed:
        notes.append(
            f"{_of_sides(leaked)} pictures are copies of pictures on another side. What is learnt "
            "is not measured, so they do not count there."
        )
    if grouped.copies:
        notes.append(
            f"{grouped.copies} pictures are copies of others (smaller, cropped, mirrored, turned, "
            "or named so by Roboflow). All copies of a picture are on one side."
        )
    return notes


def _of_sides(counts: Mapping[Split, int]) -> str:
    named = [f"{counts[side]} {WORDS[side]}" for side in SIDES if counts[side]]
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def why(row: Row) -> str:
    """The countable part of a row's reason: "kept", "too small", "not found"..."""
    return row.status if not row.reason else row.reason.split(":")[0]
