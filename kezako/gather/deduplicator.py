"""Decide what happens to a checked picture: kept, a duplicate, or rejected with a reason."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime

from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row, Split
from kezako.gather.check import OWN_SIDE, Checked, Reject
from kezako.names import as_shown

_SMALL = re.compile(r"too small: (\d+) × (\d+) ")


class Deduplicator:
    """Writes outcomes to one manifest and knows every picture in it.

    Two pictures are the same if they have the same bytes or the same 256-bit perceptual hash, which
    only a re-encoded or resized copy has. Within a class, such a copy is left out. In two classes,
    both are kept, and `split.conflicts` shows them in the cleaning step. A picture that a person
    moved to another class is not gathered again from another URL, and a removed one is not gathered
    again into any class that it was removed or moved from.
    """

    def __init__(self, manifest: Manifest):
        # Given set -> pictures that are in another set, too.
        self.crossed: Counter[Split] = Counter()
        self._manifest = manifest
        self._known: dict[tuple[str, str], Row] = {}  # (folder, sha256 or phash) -> its picture
        self._moved: dict[str, Row] = {}  # sha256 or phash -> a picture that a person moved
        self._left = manifest.moves.left()
        for row in manifest.rows():
            if row.status in ("kept", "removed") or (row.status == "duplicate" and row.file):
                self._remember(row)

    def ingest(self, row: Row, outcome: Checked | Reject) -> None:
        """Write the outcome for `row`; it is committed when this returns."""
        row.fetched_at = datetime.now(UTC).isoformat(timespec="seconds")
        row.sha256 = outcome.sha256
        if isinstance(outcome, Reject):
            row.status, row.reason = outcome.status, as_shown(outcome.reason)
            row.split = None
            self._write(row)
            return
        row.phash, row.width, row.height = outcome.phash, outcome.width, outcome.height
        if reason := self._copy_of(row):
            row.status, row.reason = "duplicate", reason
            row.file = row.split = None
            self._write(row)
            return
        if row.file:  # the file is already in pictures/
            row.status, row.reason = "kept", None
            self._write(row)
        else:
            self._manifest.store(row, outcome.jpeg)
        self._remember(row)

    def revive(self, row: Row) -> None:
        """Write a kept row whose file has come back, or that was moved to another class."""
        self._manifest.update(row)
        self._remember(row)

    def reconsider(
        self,
        least: int,  # pixels of the shorter side, of pictures from the web
    ) -> None:
        """Set pictures to pending that an earlier `min_side` refused and `least` allows."""
        for row in self._manifest.rows(status="refused"):
            size = _SMALL.match(row.reason or "")
            bound = OWN_SIDE if row.source in ("folder", "zip") else least
            if row.url and size and min(map(int, size.groups())) >= bound:
                row.status, row.reason = "pending", None
                self._manifest.update(row)

    def _copy_of(self, row: Row) -> str | None:
        for key in (row.sha256, row.phash):
            if known := self._known.get((row.folder, str(key))):
                what = "removed before" if known.status == "removed" else "same picture"
                if row.split and known.split and row.split != known.split:
                    self.crossed[row.split] += 1
                return f"{what}: {as_shown(known.url or known.title or known.file)}"
            if moved := self._moved.get(str(key)):
                return f"moved by hand: it is under {moved.folder}"
        return None

    def _remember(self, row: Row) -> None:
        folders, moved = {row.folder}, False
        if row.status == "removed":
            folders |= self._left.get(row.id or 0, set())
        else:
            moved = row.mark == f"move:{row.folder}" or row.id in self._left
        for key in filter(None, (row.sha256, row.phash)):
            for folder in folders:
                self._known.setdefault((folder, key), row)
            if moved:
                self._moved.setdefault(key, row)

    def _write(self, row: Row) -> None:
        if row.id is None:
            self._manifest.add(row)
        else:
            self._manifest.update(row)
