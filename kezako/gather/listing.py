"""Every row of a manifest for people: as a table, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from kezako.dataset.row import Row
from kezako.names import as_shown

COLUMNS = (
    "id", "folder", "status", "reason", "split", "near", "mark", "file", "width", "height",
    "source", "query", "title", "creator", "licence", "url", "page", "fetched_at", "sha256",
    "phash",
)  # fmt: skip
_SHOWN = {"folder": 16, "status": 9, "split": 5, "source": 10, "reason": 40, "title": 30, "url": 60}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_table(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of the columns that tell most, each cut to its width."""
    yield "  ".join(f"{name:{width}}" for name, width in _SHOWN.items()).rstrip()
    for row in rows:
        cells = (_cut(getattr(row, name), width) for name, width in _SHOWN.items())
        yield "  ".join(cells).rstrip()


def as_csv(rows: Sequence[Row]) -> str:
    """Every column of every row. What a spreadsheet would run as a formula is made text."""
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
