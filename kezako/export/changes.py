"""What changed since the last training of a recipe: the error and the pictures."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from kezako.dataset.manifest import Manifest
from kezako.export.sentences import difference
from kezako.model.bundle import Card
from kezako.train.dataset import Pictures

NOTES = "trained.json"  # next to the manifest: the pictures of the last trainings
ALL = ""  # no class has this name
NOTED = 2  # trainings: this one and the one before, so that a second call says the same

Places = dict[str, tuple[str, str]]  # picture id -> its class and its set


@dataclass(frozen=True)
class Changes:
    """The previous model and this one, on today's validation pictures."""

    pictures: int  # validation pictures that both have answered
    one_label: bool  # single-label: an error rate is a number of pictures
    # Class -> error of the previous model; None if there is none.
    before: Mapping[str, float] | None
    after: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]  # of `after`; key ALL: over all classes
    errors: tuple[float, float]  # of all classes, before and after
    differs: str  # a sentence: the difference, and whether it may be chance
    finished: str  # when the previous training ended, ISO 8601; empty if there was none
    moved: Counter[str] | None  # what was done -> number of pictures; None: not known
    names: Mapping[str, str] = field(
        default_factory=dict
    )  # class -> display name, where it has one

    def __str__(self) -> str:
        if self.before is None:
            return "This is the first training with these classes: there is nothing to compare."
        return " ".join([self._errors(), self.differs, self._pictures()])

    def _errors(self) -> str:
        before, after = (f"{100 * error:.1f} %" for error in self.errors)
        return (
            f"The model before this one{_day(self.finished)} errs on {before} of today's "
            f"{self.pictures} validation pictures{self._count(0)}, this one on {after}"
            f"{self._count(1)}."
        )

    def _count(self, which: int) -> str:
        return f" ({round(self.errors[which] * self.pictures)})" if self.one_label else ""

    def _pictures(self) -> str:
        if self.moved is None:
            return "Which pictures changed between the two is not known."
        done = [f"{number} {what}" for what, number in self.moved.items() if number]
        if not done:
            return "Both learnt from the same pictures."
        return f"Pictures since then: {', '.join(done)}."


def changes_since(card: Card, pictures: Pictures) -> Changes:
    """Compare the model of `card`, trained on `pictures`, with the one that it replaced.

    It notes the pictures for the next training. A second call returns the same.
    """
    last = card.figures.get("previous") or {}
    validation = card.figures["validation"]
    here = _places(pictures)
    notes = _read(pictures.folder / NOTES)
    then = notes.get(str(last.get("finished")))
    this = str(card.training["finished"])
    kept = [(when, places) for when, places in notes.items() if when != this]
    _write(pictures.folder / NOTES, dict([*kept, (this, here)][-NOTED:]))
    return Changes(
        pictures=int(validation["pictures"]),
        one_label=card.task == "single",
        before=last.get("error_by_class"),
        after=validation["error_by_class"],
        intervals={
            **{name: found["error_interval"] for name, found in validation["classes"].items()},
            ALL: validation["error_interval"],
        },
        errors=(float(last.get("error") or 0), float(validation["error"])),
        differs=difference(last) if last else "",
        finished=str(last.get("finished") or ""),
        moved=None if then is None else _moved(then, here, pictures.folder),
        names=card.names,
    )


def _places(pictures: Pictures) -> Places:
    return {str(row.id): (row.folder, str(row.split)) for row in pictures.rows}


def _moved(then: Places, here: Places, folder: Path) -> Counter[str]:
    """What was done with pictures -> number of pictures."""
    with Manifest(folder, read_only=True) as manifest:
        removed = {str(row.id) for row in manifest.rows(status="removed")}
    gone = then.keys() - here.keys()
    return Counter(
        {
            "set aside": len(gone & removed),
            "moved to another class": sum(
                then[picture][0] != here[picture][0] for picture in then.keys() & here.keys()
            ),
            "new": len(here.keys() - then.keys()),
            "no longer there": len(gone - removed),
        }
    )


def _day(finished: str) -> str:
    try:
        day = datetime.fromisoformat(finished)
    except ValueError:
        return ""
    return f" ({day.day} {day:%B %Y})"


def _read(path: Path) -> dict[str, Places]:
    """Training -> its pictures; empty if the notes are missing or damaged."""
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(when): {str(id): (str(place[0]), str(place[1])) for id, place in places.items()}
            for when, places in found.items()
        }
    except (OSError, ValueError, AttributeError, IndexError, KeyError, TypeError):
        return {}


def _write(path: Path, notes: dict[str, Places]) -> None:
    handle, staged = tempfile.mkstemp(prefix=".trained-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(notes, file)
        os.replace(staged, path)
    finally:
        Path(staged).unlink(missing_ok=True)
