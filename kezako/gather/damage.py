"""Kept pictures whose file was damaged later: cut off by a power cut, overwritten, emptied."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from kezako.dataset.manifest import Manifest
from kezako.dataset.moves import rename
from kezako.dataset.row import Row
from kezako.pictures import NotAPicture, open_picture

FOLDER = "damaged"  # in data/NAME; nothing is destroyed
BEGIN, END = b"\xff\xd8\xff", b"\xff\xd9"  # of a JPEG that was written whole


def set_aside(manifest: Manifest) -> list[Row]:
    """Move what cannot be opened any more out of pictures/, and note why; its rows.

    Of each file the first and last bytes are read, which takes 20,000 of them a second; one that
    looks cut off is decoded.
    """
    found = []
    for row in manifest.kept():
        source = manifest.folder / str(row.file)
        if reason := _damage(source):
            row.file = manifest.moves.free(f"{FOLDER}/{row.folder}/{source.name}")
            row.status, row.reason = "broken", f"damaged: {reason}"
            # Of the whole picture the row tells nothing any more: it may come back.
            row.sha256, row.phash, row.near, row.split = _sha256(source), None, None, None
            manifest.update(row)
            target = manifest.folder / row.file
            target.parent.mkdir(parents=True, exist_ok=True)
            rename(source, target)
            found.append(row)
    return found


def said(rows: list[Row]) -> str:
    """The sentence about what was set aside."""
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
    """What is wrong with the file of a kept picture; nothing where it is whole, or gone."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(BEGIN))
            file.seek(max(0, os.fstat(file.fileno()).st_size - len(END)))
            if (begin, file.read()) == (BEGIN, END):
                return ""
        open_picture(path.read_bytes())  # whatever else a person has put in its place
    except FileNotFoundError:
        return ""
    except NotAPicture as error:
        return str(error).split(". ")[0].rstrip(".")
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return "the disk cannot read it"
    return ""
