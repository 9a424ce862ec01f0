"""A bundle and a picture in, an honest answer out; no torch.

Four methods are the whole contract between a model and whatever serves it: `open`, `prepare`,
`run`, `answer`. `predict` strings them together.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from PIL import Image

from kezako.bundle import KNOWN, MODEL, BundleError, Card, Preprocessing, read_card, read_file
from kezako.pictures import NotAPicture, Picture, open_picture

__all__ = ["Answer", "BundleError", "Classifier", "NotAPicture", "Scores"]

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scores:
    """What the model says of N pictures."""

    logits: Floats  # (N, C)
    features: Floats  # (N, F)

    def __len__(self) -> int:
        return len(self.logits)

    def __getitem__(self, index: int) -> Scores:
        return Scores(self.logits[index : index + 1], self.features[index : index + 1])


@dataclass(frozen=True)
class Answer:
    """What a page may say of one picture."""

    label: str | None  # the most probable class; None for none of these
    labels: tuple[str, ...]  # all classes named: one or none, multi-label 0 to C
    probabilities: Mapping[str, float]  # by label, most probable first
    known: bool  # False: the picture is unlike everything the model learnt


class Classifier:
    """A trained model that answers for one picture; made by `Classifier.open`."""

    def __init__(self, card: Card, session: ort.InferenceSession, known: Known | None):
        self.card = card
        self._session = session
        self._known = known

    @classmethod
    def open(
        cls,
        bundle: str | Path,  # the folder models/NAME
        threads: int = 0,  # for one picture; 0 leaves it to ONNX Runtime: one a physical core
    ) -> Classifier:
        """Read a bundle, checked against its checksums. Raises `BundleError`."""
        folder = Path(bundle)
        card = read_card(folder)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # From bytes, so that a model cannot reach for other files ("external data").
        model = read_file(folder, card, MODEL)
        try:
            session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise BundleError(f"{folder / MODEL} is no model that ONNX Runtime opens.") from error
        _check_model(session, card, folder)
        known = None if card.known is None else Known.read(read_file(folder, card, KNOWN))
        return cls(card, session, known)

    def prepare(self, picture: Picture) -> Floats:
        """The model's input (3, S, S) for a path, bytes or a PIL image. Raises `NotAPicture`."""
        return prepare(picture, self.card.preprocessing)

    def run(self, batch: Floats) -> Scores:
        """Scores of a batch (N, 3, S, S)."""
        logits, features = self._session.run(["logits", "features"], {"pictures": batch})
        return Scores(logits, features)

    def answer(self, scores: Scores) -> Answer:
        """The answer for the first picture of `scores`."""
        logits = scores.logits[0].astype(np.float64)  # (C,)
        multi = self.card.task == "multi"
        values = 1 / (1 + np.exp(-logits)) if multi else _softmax(logits)
        order = np.argsort(-values)
        probabilities = {self.card.labels[i]: float(values[i]) for i in order}
        known = self.distance(scores) <= (math.inf if self.card.known is None else self.card.known)
        labels = tuple(
            label
            for rank, (label, value) in enumerate(probabilities.items())
            if (value >= self.card.thresholds.get(label, 0.5) if multi else rank == 0)
        )
        if not known:
            labels = ()
        return Answer(labels[0] if labels else None, labels, probabilities, known)

    def distance(self, scores: Scores) -> float:
        """How far the first picture lies from the training pictures; 0 where it is not measured."""
        return float(self._known.distance(scores.features)[0]) if self._known else 0.0

    def predict(self, picture: Picture) -> Answer:
        """The answer for one picture. Raises `NotAPicture`."""
        return self.answer(self.run(self.prepare(picture)[None]))


@dataclass(frozen=True)
class Known:
    """Where the training pictures lie in feature space.

    The distance of a picture is one minus the mean cosine similarity to its nearest training
    pictures, after Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors"
    (ICML 2022).
    """

    bank: Floats  # (M, F), of unit length
    neighbours: int

    def distance(self, features: Floats) -> Floats:
        """Distances (N,) of features (N, F): 0 the same direction, 1 unrelated, 2 opposite."""
        similarity = unit(features) @ self.bank.T  # (N, M)
        nearest = -np.partition(-similarity, self.neighbours - 1, axis=1)[:, : self.neighbours]
        return np.asarray(1 - nearest.mean(axis=1), dtype=np.float32)

    @classmethod
    def read(cls, content: bytes) -> Known:
        """From the bytes of `known.npz`. Raises `BundleError`."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                bank = unit(arrays["bank"].astype(np.float32))
                return cls(bank, int(arrays["neighbours"]))
        except Exception as error:
            raise BundleError(f"{KNOWN} cannot be read: {error}.") from error

    def write(self, path: Path) -> None:
        bank = self.bank.astype(np.float16)  # a rounding of 0.0005, far below what separates
        np.savez_compressed(path, bank=bank, neighbours=self.neighbours)


def unit(features: Floats) -> Floats:
    """Features (N, F) scaled to unit length."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, 1e-9), dtype=np.float32)


def prepare(picture: Picture, how: Preprocessing) -> Floats:
    """fastai's validation transforms of `picture`, as (3, S, S). Raises `NotAPicture`."""
    image = _RESIZE[how.resize](open_picture(picture, how.mode), how.size)
    pixels = np.asarray(image, dtype=np.float32) / 255  # (S, S, 3), or (S, S) for grey
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    normal = (pixels - np.asarray(how.mean, np.float32)) / np.asarray(how.std, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1), dtype=np.float32)  # (3, S, S)


def _squish(image: Image.Image, size: int) -> Image.Image:
    return image.resize((size, size), Image.Resampling.BILINEAR)


def _crop(image: Image.Image, size: int) -> Image.Image:
    width, height = image.size
    side = max(1, int(min(width / size, height / size) * size))
    left, top = int(0.5 * (width - side)), int(0.5 * (height - side))
    return _squish(image.crop((left, top, left + side, top + side)), size)


def _pad(image: Image.Image, size: int) -> Image.Image:
    width, height = image.size
    side = int(max(width / size, height / size) * size)
    left, top = -int(0.5 * (width - side)), -int(0.5 * (height - side))
    # side rounds down, so it can lie a pixel under the longest side: that pixel is cut.
    image = image.crop((0, 0, min(width, side), min(height, side)))
    width, height = image.size
    around: Any = ((top, side - height - top), (left, side - width - left), (0, 0))
    pixels = np.asarray(image)
    return _squish(Image.fromarray(np.pad(pixels, around[: pixels.ndim], mode="reflect")), size)


def _random_crop(image: Image.Image, size: int) -> Image.Image:
    # On validation pictures RandomResizedCrop squishes to a little more, then cuts the middle.
    extra = math.ceil(size * 0.14 / 8) * 8
    margin = extra // 2
    image = _squish(image, size + extra)
    return image.crop((margin, margin, margin + size, margin + size))


_RESIZE: Mapping[str, Callable[[Image.Image, int], Image.Image]] = {
    "squish": _squish,
    "crop": _crop,
    "pad": _pad,
    "random-crop": _random_crop,
}


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())


def _check_model(session: ort.InferenceSession, card: Card, folder: Path) -> None:
    outputs = {output.name: output.shape for output in session.get_outputs()}
    inputs = [value.name for value in session.get_inputs()]
    if inputs != ["pictures"] or not {"logits", "features"} <= set(outputs):
        raise BundleError(f"{folder / MODEL} lacks the input 'pictures' or an output.")
    if outputs["logits"][-1] != len(card.labels):
        raise BundleError(f"{folder / MODEL} does not answer with the card's labels.")
