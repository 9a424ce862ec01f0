"""Find kept pictures whose file was damaged later: truncated, overwritten or emptied."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from kezako.dataset.manifest import Manifest
from kezako.dataset.moves import rename
from kezako.dataset.row import Row
from kezako.pictures import NotAPicture, open_picture

FOLDER = "damaged"  # in data/NAME; damaged files are moved there, not deleted
BEGIN, END = b"\xff\xd8\xff", b"\xff\xd9"  # of a complete JPEG


def set_aside(manifest: Manifest) -> list[Row]:
    """Move files that can no longer be opened out of pictures/ and note why; returns their rows.

    Only the first and last bytes of each file are read, which takes a second for 20,000 files. A
    file that looks truncated is decoded.
    """
    found = []
    for row in manifest.kept():
        source = manifest.folder / str(row.file)
        if reason := _damage(source):
            row.file = manifest.moves.free(f"{FOLDER}/{row.folder}/{source.name}")
            row.status, row.reason = "broken", f"damaged: {reason}"
            # Forget what the row said about the intact picture, so that it can be gathered again.
            row.sha256, row.phash, row.near, row.split = _sha256(source), None, None, None
            manifest.update(row)
            target = manifest.folder / row.file
            target.parent.mkdir(parents=True, exist_ok=True)
            rename(source, target)
            found.append(row)
    return found


def said(rows: list[Row]) -> str:
    """A sentence about the pictures that were set aside."""
    one = len(rows) == 1
    return (
        f"{len(rows)} {'picture was' if one else 'pictures were'} damaged after "
        f"{'it' if one else 'they'} had been gathered, and {'is' if one else 'are'} set aside in "
        f"{FOLDER}/: {', '.join(str(row.file) for row in rows[:3])}{' ...' * (len(rows) > 3)}."
    )


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _damage(path: Path) -> str:
    """What is wrong with the file of a kept picture; empty if it is intact or missing."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(BEGIN))
            file.seek(max(0, os.fstat(file.fileno()).st_size - len(END)))
            if (begin, file.read()) == (BEGIN, END):
                return ""
        open_picture(path.read_bytes())  # it may be another format that a person put there
    except FileNotFoundError:
        return ""
    except NotAPicture as error:
        return str(error).split(". ")[0].rstrip(".")
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return "the disk cannot read it"
    return ""
