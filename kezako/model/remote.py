"""A classifier that runs elsewhere: the four methods of `Classifier` over HTTP.

The photo is sent unchanged; the engine opens and preprocesses it.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import numpy as np
import numpy.typing as npt
from PIL import Image
from traitlets.log import get_logger

from kezako import environment
from kezako.errors import KezakoError
from kezako.model.bundle import MODEL, BundleError, Card, Preprocessing
from kezako.model.card import words_of
from kezako.model.classifier import Answer
from kezako.model.runtime import TookTooLong, patience
from kezako.pictures import NotAPicture, Picture
from kezako.words import VisitorError

LARGEST = 16 * 2**20  # bytes of a response; a thousand classes take a hundredth of that
# Seconds before the second and the third try; by then a lost replica has been replaced.
PAUSES = (0.2, 1.0)
LONGEST = 300  # characters of a sentence that is passed on

Photos = npt.NDArray[np.object_]


class EngineError(VisitorError):
    """The engine gave no answer."""


@dataclass(frozen=True)
class Told:
    """The engine's answers for N pictures."""

    answers: tuple[Answer, ...]

    def __len__(self) -> int:
        return len(self.answers)

    def __getitem__(self, index: int) -> Told:
        return Told((self.answers[index],))


class Engine:
    """One classifier of an engine; made by `Engine.open`."""

    head = None  # "why" needs the model itself

    def __init__(self, address: str, card: Card):
        self.card = card
        self._address = address

    @classmethod
    def open(cls, address: str, name: str) -> Engine:
        """Ask the engine about classifier `name`. Raises `BundleError` and `EngineError`."""
        for told in _models(address):
            if told.get("name") == name:
                return cls(address, _card(told))
        raise BundleError(f"The engine at {address} has no classifier {name!r} any more.")

    def prepare(self, picture: Picture) -> Photos:
        """The bytes of a picture, as a 0-dimensional array. Raises `NotAPicture`."""
        photo = np.empty((), dtype=object)
        photo[()] = _bytes_of(picture)
        return photo

    def run(self, batch: Photos) -> Told:
        """The engine's answers for photos (N,), one request for each.

        Raises `NotAPicture`, `TookTooLong` and `EngineError`.
        """
        return Told(tuple(self._ask(photo) for photo in batch))

    def answer(self, told: Told) -> Answer:
        """The answer for the first picture of `told`."""
        return told.answers[0]

    def predict(self, picture: Picture) -> Answer:
        """The answer for one picture. Raises as `prepare` and `run` do."""
        return self.answer(self.run(self.prepare(picture)[None]))

    def why(self, told: Told, label: str) -> None:
        """None: only the model itself can tell where in a picture an answer comes from."""

    def _ask(self, photo: bytes) -> Answer:
        path = f"api/predict?model={quote(self.card.name, safe='')}"
        status, told = _asked(self._address, path, photo)
        if status == 200:
            try:
                return _answer(told)
            except ValueError as error:
                raise _away(self._address, str(error)) from error
        sentence = str(told.get("error", ""))[:LONGEST]
        if status in (413, 422) and sentence:
            raise NotAPicture("engine_refused", sentence)
        if status in (429, 503) and sentence:
            raise EngineError("engine_busy", sentence)
        raise _away(self._address, f"it answered {status}")


def names(address: str) -> list[str]:
    """The classifiers of the engine; the first one is the default.

    Raises `EngineError`.
    """
    return [str(told["name"]) for told in _models(address) if told.get("name")]


def address_of(text: str) -> str:
    """`text` as the address of an engine, ending in /. Raises `KezakoError` if it is not one."""
    try:
        where = urlsplit(text)
        fits = where.scheme in ("http", "https") and where.hostname and (where.port or 1)
    except ValueError:
        fits = False
    if not fits or where.username is not None or where.query or where.fragment:
        raise KezakoError(
            f"{text!r} is no address of an engine; give one such as http://127.0.0.1:8000"
        )
    return text.rstrip("/") + "/"


def chosen(given: Mapping[str, str] | None = None) -> str:
    """The address of the engine in use; empty if the models run here. Raises `KezakoError`."""
    text = environment.read("ENGINE", given)
    return address_of(text) if text else ""


def _models(address: str) -> list[dict[str, Any]]:
    status, told = _asked(address, "api/models")
    models = told.get("models")
    if status != 200 or not isinstance(models, list):
        raise _away(address, f"it answered {status}")
    return [each for each in models if isinstance(each, dict)]


def _asked(address: str, path: str, photo: bytes | None = None) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a response; retried when the engine may have lost a replica."""
    end = time.monotonic() + patience()
    trouble = ""
    for pause in (*PAUSES, None):
        try:
            status, told = _once(address, path, photo, end - time.monotonic())
        except TimeoutError as error:
            raise TookTooLong(f"The engine at {address} took too long.") from error
        except (OSError, HTTPException, ValueError) as error:
            trouble = str(error) or type(error).__name__
        else:
            if status < 500 or pause is None:
                return status, told
            trouble = f"it answered {status}"
        if pause is None or time.monotonic() + pause > end:
            break
        time.sleep(pause)
    raise _away(address, trouble)


def _once(
    address: str, path: str, photo: bytes | None, seconds: float
) -> tuple[int, dict[str, Any]]:
    """One request, on its own connection: forked kernels must not share one."""
    where = urlsplit(address)
    connection = _connection(where, max(0.1, seconds))
    headers = {"Content-Type": "application/octet-stream"} if photo is not None else {}
    if token := environment.read("ENGINE_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    try:
        method = "GET" if photo is None else "POST"
        connection.request(method, f"{where.path}{path}", photo, headers)
        return _read(connection.getresponse())
    finally:
        connection.close()


def _connection(where: SplitResult, seconds: float) -> HTTPConnection:
    kind = HTTPSConnection if where.scheme == "https" else HTTPConnection
    return kind(str(where.hostname), where.port, timeout=seconds)


def _read(response: HTTPResponse) -> tuple[int, dict[str, Any]]:
    content = response.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("its answer is out of bounds")
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        if response.status == 200:
            raise ValueError("its answer is none of Kezako's API")
        told = {}
    return response.status, told


def _card(told: Mapping[str, Any]) -> Card:
    """The part of a card that a page needs. Raises `BundleError`."""
    texts = [told.get(key) for key in ("name", "title", "prompt", "answer")]
    labels = told.get("labels")
    if not all(isinstance(text, str) for text in texts) or not isinstance(labels, list):
        raise BundleError("The engine does not say what its classifier is called.")
    name, title, prompt, answer = map(str, texts)
    known = tuple(str(label) for label in labels)
    try:
        words = words_of(told, known)
    except ValueError as error:
        raise BundleError(f"The engine's words cannot be used: {error}.") from error
    return Card(
        name=name, title=title, prompt=prompt, answer=answer, labels=known, **words,
        task="multi" if told.get("task") == "multi" else "single",
        preprocessing=Preprocessing(224, "squish"),  # the engine has its own
        precision="fp32", temperature=1.0, thresholds={}, known=None,
        files={MODEL: str(told.get("version", ""))},
    )  # fmt: skip


def _answer(told: Mapping[str, Any]) -> Answer:
    """The engine's JSON as an `Answer`. Raises `ValueError` if it is not one."""
    try:
        values = {str(label): float(value) for label, value in told["probabilities"].items()}
        labels = tuple(str(label) for label in told["labels"])
        label = None if told["label"] is None else str(told["label"])
        known = bool(told["known"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"its answer lacks {error}") from error
    if not all(0 <= value <= 1 for value in values.values()):  # NaN fails this, too
        raise ValueError("its probabilities are out of bounds")
    if not {label, *labels} - {None} <= set(values):
        raise ValueError("it names a class without a probability")
    return Answer(label, labels, values, known)


def _away(address: str, why: str) -> EngineError:
    """A sentence for the visitor; the reason goes to the log."""
    get_logger().warning("The engine at %s gave no answer: %s.", address, why)
    return EngineError("engine_lost")


def _bytes_of(picture: Picture) -> bytes:
    if isinstance(picture, bytes | bytearray | memoryview):
        return bytes(picture)
    if isinstance(picture, Image.Image):
        file = io.BytesIO()
        picture.save(file, "PNG")
        return file.getvalue()
    try:
        return Path(picture).read_bytes()
    except OSError as error:
        raise NotAPicture("picture_unreadable", name=repr(Path(picture).name)) from error
