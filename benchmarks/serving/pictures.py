"""Photos for the visitors, or drawn pictures if there are none."""

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
    probabilities: Mapping[str, float]  # by the name that the page shows


def photos() -> Iterator[bytes]:
    """Real photos, if there are any, or drawn faces; the classes take turns."""
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
    distance: float = 0.02,  # minimum difference of two answers' probabilities, for some label
) -> list[Picture]:
    """Pictures whose answers differ from each other. Raises `ValueError` if there are too few.

    An answer to another visitor's picture can then be recognised as wrong.
    """
    found: list[Picture] = []
    for content in pictures:
        said = classifier.predict(content).probabilities
        answer = {classifier.card.name_of(label): p for label, p in said.items()}
        if all(_distance(answer, other.probabilities) >= distance for other in found):
            found.append(Picture(content, answer))
        if len(found) == count:
            return found
    raise ValueError(f"Only {len(found)} pictures have answers that differ; ask for fewer.")


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return max(abs(one[label] - other[label]) for label in one)
