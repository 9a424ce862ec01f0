"""Photos for the visitors; drawn ones where there are none."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kezako.gather.sample import CLASSES, draw_face
from kezako.model.classifier import Classifier
from tests.standin.server import shared_photos


@dataclass(frozen=True)
class Picture:
    """A picture and its answer."""

    content: bytes
    probabilities: Mapping[str, float]  # by label


def photos() -> Iterator[bytes]:
    """One class after the other, without end of kinds; real photos where there are some."""
    folder = shared_photos()
    bears = folder / "bears" if folder else None
    if bears and bears.is_dir():
        classes = [sorted(one.glob("*.jpg")) for one in sorted(bears.iterdir()) if one.is_dir()]
        for row in zip(*classes, strict=False):
            yield from (path.read_bytes() for path in row)
        return
    for number in range(400):
        for mood in CLASSES:
            yield _jpeg(mood, number)


def _jpeg(mood: str, number: int) -> bytes:
    file = io.BytesIO()
    draw_face(mood, number).save(file, "JPEG", quality=90)
    return file.getvalue()


def told_apart(
    classifier: Classifier,
    pictures: Iterable[bytes],
    count: int,
    distance: float = 0.02,  # of two answers' probabilities, at least, for some label
) -> list[Picture]:
    """Those whose answers differ from one another. Raises ValueError where there are too few.

    An answer to another visitor's picture then shows as a wrong one.
    """
    found: list[Picture] = []
    for content in pictures:
        answer = classifier.predict(content).probabilities
        if all(_distance(answer, other.probabilities) >= distance for other in found):
            found.append(Picture(content, answer))
        if len(found) == count:
            return found
    raise ValueError(f"Only {len(found)} pictures have answers that differ; ask for fewer.")


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return max(abs(one[label] - other[label]) for label in one)
