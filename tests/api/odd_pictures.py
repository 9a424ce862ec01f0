"""More than 300 kinds of odd and broken files, the same ones at every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.api.odd_broken import damaged, refused
from tests.api.odd_whole import whole

SEED = 5


@dataclass(frozen=True)
class Odd:
    """A file that somebody sends."""

    name: str
    data: bytes
    answered: bool | None  # whether it is to get a label; None: a label or a sentence


def odd_pictures(seed: int = SEED) -> Iterator[Odd]:
    """Each is at most a few hundred kilobytes, whatever it unfolds to."""
    for kinds, answered in ((whole, True), (damaged, None), (refused, False)):
        for name, data in kinds(seed):
            yield Odd(name, data, answered)
