"""One row of the manifest: a picture, or a URL that gave none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

# "offered": a visitor's correction that the maker has not reviewed yet.
Status = Literal[
    "pending", "kept", "duplicate", "broken", "refused", "missing", "removed", "offered"
]
# "test": held out, neither trained on nor looked at until the model is finished.
Split = Literal["train", "valid", "test"]
SIDES: tuple[Split, ...] = get_args(Split)


@dataclass
class Row:
    """One picture, or one URL that gave none."""

    folder: str  # the class, which is the folder under pictures/
    status: Status = "pending"
    reason: str | None = None  # why it is not kept, in words
    url: str | None = None  # where the bytes came from; None for a file put there by hand
    file: str | None = None  # below data/NAME, with forward slashes
    source: str | None = None
    query: str | None = None
    page: str | None = None  # the page that showed it
    title: str | None = None
    licence: str | None = None
    creator: str | None = None
    fetched_at: str | None = None  # ISO 8601, UTC
    sha256: str | None = None  # of the bytes as downloaded
    phash: str | None = None  # 256 bits as hex
    width: int | None = None  # pixels, as stored
    height: int | None = None
    near: int | None = None  # group of near-duplicates, across classes: the lowest id in it
    split: Split | None = None
    mark: str | None = None  # "keep", "delete" or "move:FOLDER", set while cleaning
    id: int | None = None
