"""Every row of a manifest for people: as a table, as CSV, and as the credits licences ask for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from html import escape

from kezako.manifest import Manifest, Row

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


def credits(
    manifest: Manifest,
    title: str,  # of the classifier
) -> str:
    """Markdown: who made each kept picture, under which licence, and where it is from."""
    kept = sorted(manifest.kept(), key=lambda row: (row.folder, row.creator or "", row.id or 0))
    known = [row for row in kept if row.licence]
    lines = [f"# Pictures of {_plain(title)}", ""]
    lines += [f"{len(known)} pictures with a known licence, class by class.", ""] if known else []
    folder = None
    for row in known:
        if row.folder != folder:
            folder = row.folder
            lines += [f"## {_plain(folder)}", ""]
        lines.append(_credit(row))
    if unknown := [row for row in kept if not row.licence]:
        lines += ["", "## Without a known licence", "", _sources_of(unknown)]
    return "\n".join(lines) + "\n"


def _credit(row: Row) -> str:
    name = f"“{_plain(row.title or 'untitled')}”"
    where = row.page or row.url
    linked = f"[{name}](<{_address(where)}>)" if where else name
    return f"- {linked} by {_plain(row.creator or 'unknown')}, {_plain(row.licence)}"


def _sources_of(rows: Sequence[Row]) -> str:
    by_hand = sum(row.url is None for row in rows)
    found = len(rows) - by_hand
    parts = []
    if found:
        parts.append(f"{found} pictures whose source names no licence: ask before publishing them.")
    if by_hand:
        parts.append(f"{by_hand} pictures put there by hand.")
    return "\n".join(parts)


def _plain(value: object) -> str:
    # Titles and names come from strangers: neither Markdown nor HTML in them may take effect.
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|!" else c for c in escape(line, quote=False))


def _address(url: str) -> str:
    return "".join(c for c in url if c.isprintable() and c not in "<> ")


def _cut(value: object, width: int) -> str:
    text = "" if value is None else "".join(c if c.isprintable() else " " for c in str(value))
    return f"{text if len(text) <= width else text[: width - 1] + '…':{width}}"


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
