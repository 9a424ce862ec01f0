"""Find the learner at the root of a file; no torch, so that other files are refused at once."""

from __future__ import annotations

from typing import Any

from kezako.importer.allowlist import Refused, short
from kezako.importer.records import Record, as_dict, path_of

_LEARNERS = {"fastai.learner.Learner"}


def learner_in(root: Any) -> Record:
    """The record of the learner. Raises `Refused`, which says what the file contains instead."""
    path = path_of(root)
    if isinstance(root, Record) and path in _LEARNERS:
        return root
    known = as_dict(root)
    if isinstance(root, dict) and {"model", "data", "cls"} <= set(known):
        raise Refused(
            "This is an export of fastai 1, which saw pictures in another way. Train again with "
            "fastai 2, or with: kezako new NAME --classes A,B and kezako gather NAME --from FOLDER."
        )
    if known or path.startswith(("torch.", "collections.")):
        raise Refused(
            "The file holds weights or a network alone, without the labels and the size of the "
            "pictures. Load it into its learner, and use learn.export()."
        )
    raise Refused(
        f"The file holds a {short(path)}, not an image classifier of fastai's. "
        "Give the file that learn.export() wrote."
    )
