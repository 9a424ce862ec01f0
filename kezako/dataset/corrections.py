"""Corrections: visitors send back a picture with its right class, for the maker to review.

Off by default; `KEZAKO_CORRECTIONS=1` in the environment turns it on. Pictures are kept in
`data/NAME/corrections/`, which no server serves, until the maker accepts or deletes them in the
cleaner. A confirmation is the same for an answer that was right.
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
from kezako.pictures import Picture, open_picture, shrink
from kezako.recipe import (
    LABEL_SEPARATOR,
    NEITHER,
    Recipe,
    Task,
    check_folder_name,
    none_folder,
)
from kezako.words import VisitorError
from kezako.workspace import Workspace

CORRECTION, CONFIRMATION = "correction", "confirmation"  # a row's source in the manifest
LONGEST = 512  # pixels of the longest side; as for gathered pictures
QUALITY = 90  # of the JPEG
MOST = 500  # pictures waiting for review; a maker would not look at more
MOST_CONFIRMED = 200  # of these, right answers; they must leave room for wrong ones
MOST_BYTES = 100_000_000  # all of them together
PER_HOUR = 60  # pictures, so that one person who keeps coming back cannot fill the queue
PER_VISIT = 5  # pictures; anyone with more to say is a maker, not a visitor
PATIENCE = 5.0  # seconds for another process's commit; a visitor waits


class Full(VisitorError):
    """No more corrections are taken for now; the message is a sentence for the visitor."""


class Busy(Full):
    """Another process is writing; sending the same picture again may succeed."""


def enabled(given: Mapping[str, str] | None = None) -> bool:
    """Whether corrections are turned on. Raises `KezakoError` if the setting is not clear."""
    return bool(environment.read("CORRECTIONS", given))


def limit_per_visit(given: Mapping[str, str] | None = None) -> int:
    """How many pictures one visit may send back. Raises `KezakoError` if the setting is wrong."""
    return environment.read("CORRECTIONS_A_VISIT", given) or PER_VISIT


def offer(
    workspace: Workspace,
    name: str,  # of the classifier
    picture: Picture,  # as the visitor sent it
    labels: tuple[str, ...],  # the classes that it shows, says the visitor; empty: none of them
    predicted: str,  # the page's answer, as a sentence
    task: Task = "single",  # of the classifier
    confirmed: bool = False,  # whether the visitor says that the answer is right
) -> None:
    """Keep a visitor's picture, without the metadata (camera, place, person) of its file.

    Sending the same picture again replaces the earlier labels, until the maker has reviewed it.
    This is one commit; it does not wait while a gathering holds the folder's lock. Raises `Full`
    (`Busy` if it may be tried again), `NotAPicture`, and `ValueError` for labels that cannot name
    a folder.
    """
    shown = LABEL_SEPARATOR.join(sorted(labels))
    folder = check_folder_name(shown) if labels else none_folder(task)
    jpeg = _bare(picture)
    sha256 = hashlib.sha256(jpeg).hexdigest()
    file = f"{CORRECTIONS}/{sha256}.jpg"
    says = "a visitor agrees" if confirmed else "a visitor says"
    reason = f"{says}: {shown or 'none of these'}; the page said: {predicted}"
    source = CONFIRMATION if confirmed else CORRECTION
    row = Row(folder, "offered", reason, file=file, source=source, sha256=sha256)
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
        raise Busy("correction_busy") from None


def offered_folder(recipe: Recipe, row: Row) -> str:
    """The folder that an offered picture would go to.

    Kezako 0.1 wrote "neither" for none of the classes, whatever the task.
    """
    if row.folder == NEITHER and not recipe.has_folder(NEITHER):
        return recipe.none_folder
    return row.folder


def _keep(manifest: Manifest, row: Row, jpeg: bytes) -> None:
    known = [
        other
        for source in (CORRECTION, CONFIRMATION)
        for other in manifest.rows(source=source, sha256=row.sha256)
    ]
    if known:
        row.id = known[0].id
        if known[0].status == "offered":
            manifest.update(row)
        return
    _check_room(manifest, row, len(jpeg))
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


def _check_room(manifest: Manifest, row: Row, size: int) -> None:
    rows = manifest.rows(status="offered")
    waiting = [manifest.folder / str(other.file) for other in rows]
    together = size + sum(path.stat().st_size for path in waiting if path.is_file())
    if len(waiting) >= MOST or together > MOST_BYTES:
        raise Full("correction_full")
    confirmed = sum(other.source == CONFIRMATION for other in rows)
    if row.source == CONFIRMATION and confirmed >= MOST_CONFIRMED:
        raise Full("correction_full")
    hour = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    if sum(str(other.fetched_at) > hour for other in rows) >= PER_HOUR:
        raise Full("correction_often")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
