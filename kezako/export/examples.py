"""Choose pictures to try for a bundle: answered rightly and surely, and the maker may show them.

Shown are the maker's own pictures, and those whose licence lets anyone pass them on. Never shown
are pictures of a search without a licence, and visitors' corrections, which were given to train
with and for nothing else.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from kezako.dataset.row import Row
from kezako.export.crossfit import Answers
from kezako.model.bundle import Credit, Example
from kezako.model.card import EXAMPLES, LONGEST_ADDRESS, MOST_EXAMPLES
from kezako.model.classifier import Answer
from kezako.model.decision import Flags
from kezako.model.wording import SURE
from kezako.pictures import NotAPicture, open_picture, shrink

LONGEST = 512  # pixels of the longest side
QUALITY = 85  # of the JPEG
TRIED = 12  # pictures of a class, at most
LONGEST_TITLE, LONGEST_CREATOR = 80, 120  # characters in a credit
OWN = {"folder", "zip"}  # in the manifest, what the maker gave or put there by hand

# Names of licences as Openverse and Wikimedia Commons write them, with their version and country.
# Licences that forbid changes or commerce are not among them.
_FREE = re.compile(
    r"(?:CC0|PDM|Public domain(?: mark)?|CC[ -]BY(?:[ -]SA)?)"
    r"(?:[ -][\d.]+(?:[,-][\d.]+)*)?(?: (?!nc|nd)[a-z]{2,8})?",
    re.IGNORECASE,
)
_LINK = re.compile(r"\s*\(https?://[^()\s]*\)$")  # to the licence's text, after its name
_WEB = re.compile(r"https?://[!#-;=?-~]+")


@dataclass(frozen=True)
class Candidate:
    """A validation picture with one class, answered rightly."""

    path: Path
    row: Row
    label: str
    p: float  # how sure the answer was, by a rule that the picture did not choose


def candidates(
    answers: Answers,  # of N pictures, cross-fitted
    passes: Flags,  # (N,), whether each counts as one of the classes, likewise
    labels: Sequence[str],
    paths: Sequence[Path],
    rows: Sequence[Row | None],  # None: not in the manifest
) -> list[Candidate]:
    """The pictures that may be examples, the surest first."""
    right = ~answers.wrong.any(axis=1) & passes & (answers.shown.sum(axis=1) == 1)
    sure = np.where(answers.shown, answers.p, 1 - answers.p)
    p = sure.min(axis=1) if answers.multi else np.where(answers.shown, answers.p, 0).max(axis=1)
    found = [
        Candidate(path, row, labels[int(shown.argmax())], float(value))
        for path, row, shown, value, good in zip(paths, rows, answers.shown, p, right, strict=True)
        if good and row is not None and value >= SURE and may_show(row)
    ]
    return sorted(found, key=lambda each: -each.p)


def write_examples(
    folder: Path,  # of the bundle
    found: Iterable[Candidate],  # the surest first
    answer: Callable[[bytes], Answer],  # of the exported classifier
) -> tuple[Example, ...]:
    """Write up to six to `examples/N.jpg`, spread over the classes.

    Each is asked about as a visitor will see it: smaller, and compressed again.
    """
    examples: list[Example] = []
    seen: set[int | None] = set()
    by_label: dict[str, list[Candidate]] = {}
    for each in found:
        by_label.setdefault(each.label, []).append(each)
    queues = [_told(islice(queue, TRIED), seen, answer) for queue in by_label.values()]
    while queues and len(examples) < MOST_EXAMPLES:
        queue = queues.pop(0)
        if (taken := next(queue, None)) is None:
            continue
        queues.append(queue)
        chosen, jpeg = taken
        file = f"{EXAMPLES}/{len(examples) + 1}.jpg"
        (folder / EXAMPLES).mkdir(exist_ok=True)
        (folder / file).write_bytes(jpeg)
        examples.append(Example(file, chosen.label, credit_of(chosen.row)))
    return tuple(examples)


def may_show(row: Row) -> bool:
    """Whether the maker may pass this picture on, as far as the manifest tells."""
    if row.source in OWN:
        return True
    credited = credit_of(row)
    return bool(credited and credited.url)


def credit_of(row: Row) -> Credit | None:
    """What a licence asks for; None for the maker's own pictures, and where nothing is allowed."""
    licence = _LINK.sub("", row.licence or "")
    if row.source in OWN or row.source == "correction" or not _FREE.fullmatch(licence):
        return None
    title = _line(row.title or "untitled", LONGEST_TITLE)
    by = f" by {_line(row.creator, LONGEST_CREATOR)}" if row.creator else ""
    if not by and licence.upper().startswith("CC") and "CC0" not in licence.upper():
        return None  # its licence asks for the name of its maker
    return Credit(f"“{title}”{by}, {licence}, made smaller", _address(row.page or row.url))


def small_jpeg(path: Path) -> bytes:
    """A JPEG of the pixels and nothing else, its longest side 512 px. Raises `NotAPicture`."""
    file = io.BytesIO()
    shrink(open_picture(path), LONGEST).save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()


def _told(
    queue: Iterable[Candidate], seen: set[int | None], answer: Callable[[bytes], Answer]
) -> Iterator[tuple[Candidate, bytes]]:
    """The pictures of one class that the page would answer rightly, and no two of one photo."""
    for each in queue:
        group = each.row.id if each.row.near is None else each.row.near
        if group in seen:
            continue
        try:
            jpeg = small_jpeg(each.path)
        except NotAPicture:
            continue
        said = answer(jpeg)
        if said.labels == (each.label,) and said.probabilities[each.label] >= SURE:
            seen.add(group)
            yield each, jpeg


def _line(text: str, longest: int) -> str:
    """Untrusted text as one line without control characters, shortened."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def _address(url: str | None) -> str:
    """A web address, or empty."""
    return url if url and len(url) <= LONGEST_ADDRESS and _WEB.fullmatch(url) else ""
