"""Corrections: visitors send back a picture with its right class, for the maker to review.

Off by default; `KEZAKO_CORRECTIONS=1` in the environment turns it on. Pictures are kept in
`data/NAME/corrections/`, which no server serves, until the maker accepts or deletes them in the
cleaner.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kezako import environment
from kezako.dataset.manifest import CORRECTIONS, Manifest, ManifestError
from kezako.dataset.row import Row
from kezako.errors import KezakoError
from kezako.pictures import Picture, open_picture, shrink
from kezako.recipe import NEITHER, check_folder_name
from kezako.workspace import Workspace

SOURCE = "correction"  # in the manifest
LONGEST = 512  # pixels of the longest side; as for gathered pictures
QUALITY = 90  # of the JPEG
MOST = 500  # pictures waiting for review; a maker would not look at more
MOST_BYTES = 100_000_000  # all of them together
AN_HOUR = 60  # pictures per hour, so that one person who keeps coming back cannot fill the queue
A_VISIT = 5  # pictures per visit; anyone with more to say is a maker, not a visitor
PATIENCE = 5.0  # seconds for another process's commit; a visitor waits


class Full(KezakoError):
    """No more corrections are taken for now; the message is a sentence for the visitor."""


def are_taken(given: Mapping[str, str] | None = None) -> bool:
    """Whether corrections are turned on. Raises `KezakoError` if the setting is not clear."""
    return bool(environment.read("CORRECTIONS", given))


def a_visit(given: Mapping[str, str] | None = None) -> int:
    """How many pictures one visit may send back. Raises `KezakoError` if the setting is wrong."""
    return environment.read("CORRECTIONS_A_VISIT", given) or A_VISIT


def offer(
    workspace: Workspace,
    name: str,  # of the classifier
    picture: Picture,  # as the visitor sent it
    label: str | None,  # what the visitor says it shows; None: none of the classes
    said: str,  # what the page said
) -> None:
    """Keep a visitor's picture, without the metadata (camera, place, person) of its file.

    Sending the same picture again replaces the earlier label, until the maker has reviewed it. This
    is one commit; it does not wait while a gathering holds the folder's lock. Raises `Full`,
    `NotAPicture`, and `ValueError` for a label that is not a class name.
    """
    folder = NEITHER if label is None else check_folder_name(label)
    jpeg = _bare(picture)
    sha256 = hashlib.sha256(jpeg).hexdigest()
    file = f"{CORRECTIONS}/{sha256}.jpg"
    reason = f"a visitor says: {label or 'none of these'}; the page said: {said}"
    row = Row(folder, "offered", reason, file=file, source=SOURCE, sha256=sha256)
    row.fetched_at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with (
            Manifest(workspace.folder(name), patience=PATIENCE) as manifest,
            manifest.transaction(),
        ):
            _keep(manifest, row, jpeg)
    except ManifestError as error:
        if "locked" not in str(error.__cause__):
            raise
        raise Full("Thank you, but it cannot be kept just now. Please send it again.") from None


def _keep(manifest: Manifest, row: Row, jpeg: bytes) -> None:
    if known := manifest.rows(source=SOURCE, sha256=row.sha256):
        row.id = known[0].id
        if known[0].status == "offered":
            manifest.update(row)
        return
    _check_room(manifest, len(jpeg))
    # Before the commit, so that no row is without its file.
    _write(manifest.folder / str(row.file), jpeg)
    manifest.add(row)


def _bare(picture: Picture) -> bytes:
    """A JPEG of the pixels and nothing else."""
    image = shrink(open_picture(picture), LONGEST)
    image.info.clear()  # or PIL would write comments and profiles again
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY, exif=b"")
    return file.getvalue()


def _check_room(manifest: Manifest, size: int) -> None:
    rows = manifest.rows(status="offered")
    waiting = [manifest.folder / str(row.file) for row in rows]
    together = size + sum(path.stat().st_size for path in waiting if path.is_file())
    if len(waiting) >= MOST or together > MOST_BYTES:
        raise Full("Thank you, but there are enough corrections for now.")
    hour = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    if sum(str(row.fetched_at) > hour for row in rows) >= AN_HOUR:
        raise Full("Thank you, but many corrections came just now. Please try again in an hour.")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
