"""Classify pictures with a bundle; no torch.

A model and whatever serves it share four methods: `open`, `prepare`, `run` and `answer`.
`predict` calls the last three in turn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from kezako.model.bundle import (
    HEAD,
    KNOWN,
    MODEL,
    BundleError,
    Card,
    Preprocessing,
    read_bundle,
)
from kezako.model.decision import named, probabilities, thresholds_of
from kezako.model.explanation import heat
from kezako.model.ood import OutOfDistribution
from kezako.model.resize import resized
from kezako.model.runtime import Floats, Model, TookTooLong
from kezako.pictures import NotAPicture, Picture, open_picture

__all__ = ["Answer", "BundleError", "Classifier", "Floats", "NotAPicture", "Scores", "TookTooLong"]


@dataclass(frozen=True)
class Scores:
    """The model's outputs for N pictures."""

    logits: Floats  # (N, C)
    features: Floats  # (N, F)
    map: Floats | None = None  # (N, K, h, w), the body's feature map; not every model has it

    def __len__(self) -> int:
        return len(self.logits)

    def __getitem__(self, index: int) -> Scores:
        one = slice(index, index + 1)
        cells = None if self.map is None else self.map[one]
        return Scores(self.logits[one], self.features[one], cells)


@dataclass(frozen=True)
class Answer:
    """What a page may say of one picture."""

    label: str | None  # the most probable class; None for none of these
    labels: tuple[str, ...]  # all classes named: one or none, multi-label 0 to C
    probabilities: Mapping[str, float]  # by label, most probable first
    known: bool  # False: the picture is out of distribution


class Classifier:
    """A trained model that answers for one picture; made by `Classifier.open`."""

    def __init__(
        self, card: Card, model: Model, known: OutOfDistribution | None, head: Head | None
    ):
        self.card = card
        self._model = model
        self._known = known
        self._thresholds = thresholds_of(card)
        self.head = head
        self._outputs = [name for name in ("logits", "features", "map") if name in model.outputs]

    @classmethod
    def open(
        cls,
        bundle: str | Path,  # the folder models/NAME
        threads: int = 0,  # for one picture; 0: $KEZAKO_THREADS, else one per physical core
    ) -> Classifier:
        """Read a bundle, checked against its checksums. Raises `BundleError`."""
        folder = Path(bundle)
        card, files = read_bundle(folder, files_of)
        model = _open_model(folder, files, MODEL, threads)
        _check_model(model, card, folder)
        known = OutOfDistribution.read(files[KNOWN]) if KNOWN in files else None
        return cls(card, model, known, Head.open(folder, card, files, model))

    def prepare(self, picture: Picture) -> Floats:
        """The model's input (3, S, S) for a path, bytes or a PIL image. Raises `NotAPicture`."""
        return prepare(picture, self.card.preprocessing)

    def run(self, batch: Floats) -> Scores:
        """Scores of a batch (N, 3, S, S). Raises `TookTooLong`."""
        return Scores(*self._model.run(self._outputs, {"pictures": batch}, len(batch)))

    def answer(self, scores: Scores) -> Answer:
        """The answer for the first picture of `scores`."""
        multi = self.card.task == "multi"
        values = probabilities(scores.logits[:1], multi)  # (1, C)
        chosen = named(values, multi, self._thresholds)[0]
        order = np.argsort(-values[0], kind="stable")
        known = self.distance(scores) <= (math.inf if self.card.known is None else self.card.known)
        labels = tuple(self.card.labels[i] for i in order if known and chosen[i])
        by_label = {self.card.labels[i]: float(values[0, i]) for i in order}
        return Answer(labels[0] if labels else None, labels, by_label, known)

    def distance(self, scores: Scores) -> float:
        """Distance of the first picture from the training pictures; 0 where it is not measured."""
        return float(self._known.distance(scores.features)[0]) if self._known else 0.0

    def predict(self, picture: Picture) -> Answer:
        """The answer for one picture. Raises `NotAPicture` and `TookTooLong`."""
        return self.answer(self.run(self.prepare(picture)[None]))

    def why(self, scores: Scores, label: str) -> Floats | None:
        """Where in the first picture the evidence for `label` is: (r, c), 0 to 1.

        None if the bundle cannot tell, or if no part of the picture is evidence. Raises
        `TookTooLong`.
        """
        if self.head is None or scores.map is None:
            return None
        multi = self.card.task == "multi"
        index = self.card.labels.index(label)
        return heat(scores.map[0], self.head.grey, self.head.logits, index, multi)


class Head:
    """The last layers alone, and the feature map that the body gives for plain grey."""

    def __init__(self, model: Model):
        self._model = model

    @cached_property
    def grey(self) -> Floats:
        """The feature map (K, h, w) of a plain grey picture."""
        some = np.zeros((1, self._model.inputs["features"][-1]), np.float32)
        return self._model.run(["grey"], {"features": some})[0]

    def logits(self, features: Floats) -> Floats:
        """Logits (M, C) of features (M, 2 K). Raises `TookTooLong`."""
        return self._model.run(["logits"], {"features": features})[0]

    @classmethod
    def open(cls, folder: Path, card: Card, files: Mapping[str, bytes], body: Model) -> Head | None:
        """None if the bundle has no head; its page then shows no "why". Raises `BundleError`."""
        shape = body.outputs.get("map", [])[1:]  # (K, h, w)
        if HEAD not in files or len(shape) != 3:
            return None
        model = _open_model(folder, files, HEAD, threads=1)  # a second thread would only cost time
        needed = [shape, [2 * shape[0]], [len(card.labels)]]
        found = [model.outputs.get("grey", []), model.inputs.get("features", [])[1:],
                 model.outputs.get("logits", [])[1:]]  # fmt: skip
        if found != needed:
            raise BundleError(f"{folder / HEAD} does not fit {MODEL}.")
        return cls(model)


def files_of(card: Card) -> list[str]:
    """The files of a bundle that inference needs."""
    found = [MODEL]
    found += [HEAD] if HEAD in card.files else []  # without it, the page shows no "why"
    return found + ([KNOWN] if card.known is not None else [])


def prepare(picture: Picture, preprocessing: Preprocessing) -> Floats:
    """Apply fastai's validation transforms: (3, S, S), normalised. Raises `NotAPicture`."""
    image = resized(open_picture(picture, preprocessing.mode), preprocessing.ways)
    mean, std = (
        np.asarray(row, np.float32)[:, None, None]
        for row in (preprocessing.mean, preprocessing.std)
    )
    pixels = np.asarray(image)  # (S, S, 3), or (S, S) for grey
    planes = np.stack([pixels] * 3) if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    normal: Floats = planes.astype(np.float32, order="C")
    normal *= 1 / (255 * std)  # in place: takes a sixth of the time of a new array for each step
    normal -= mean / std
    return normal


def _open_model(folder: Path, files: Mapping[str, bytes], name: str, threads: int) -> Model:
    try:
        return Model(files[name], threads)
    except BundleError:
        raise
    except Exception as error:
        raise BundleError(f"{folder / name} is no model that ONNX Runtime opens.") from error


def _check_model(model: Model, card: Card, folder: Path) -> None:
    if list(model.inputs) != ["pictures"] or not {"logits", "features"} <= set(model.outputs):
        raise BundleError(f"{folder / MODEL} lacks the input 'pictures' or an output.")
    if model.outputs["logits"][-1:] != [len(card.labels)]:
        raise BundleError(f"{folder / MODEL} does not answer with the card's labels.")
