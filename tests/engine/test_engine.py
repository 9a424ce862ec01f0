"""An engine answers as the classifier behind it does; what goes wrong is a sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kezako.model.classifier import Classifier, TookTooLong
from kezako.model.remote import Engine, EngineError, address_of, names
from kezako.model.wording import sentence
from kezako.pictures import NotAPicture
from kezako.words import words
from tests.api.client import colour

RED = colour(250, 20, 20)
LOST = words()("engine_lost")


@pytest.mark.parametrize("name", ["colours", "tints"])
def test_it_answers_as_the_classifier_does(an_engine: tuple[str, Path], name: str) -> None:
    address, home = an_engine
    assert names(address) == ["colours", "tints"]
    engine, classifier = Engine.open(address, name), Classifier.open(home / "models" / name)
    picture = colour(200, 180, 20)
    theirs, own = engine.predict(picture), classifier.predict(picture)
    assert (theirs.label, theirs.labels, theirs.known) == (own.label, own.labels, own.known)
    assert theirs.probabilities == pytest.approx(dict(own.probabilities), abs=1e-6)
    assert sentence(engine.card, theirs) == sentence(classifier.card, own)
    assert engine.card.title == classifier.card.title
    for key in ("names", "language", "words"):
        assert getattr(engine.card, key) == getattr(classifier.card, key)


def test_it_is_used_as_the_notebook_uses_a_classifier(an_engine: tuple[str, Path]) -> None:
    engine = Engine.open(an_engine[0], "colours")
    scores = engine.run(engine.prepare(Image.new("RGB", (9, 9), "red"))[None])
    assert len(scores) == 1
    assert engine.answer(scores).label == "red"
    assert engine.why(scores, "red") is None  # type: ignore[func-returns-value]


def test_what_is_no_picture_is_said_by_the_engine(an_engine: tuple[str, Path]) -> None:
    with pytest.raises(NotAPicture, match="not a picture"):
        Engine.open(an_engine[0], "colours").predict(b"no picture")


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match=LOST):
        names("http://127.0.0.1:9/")


def test_a_silent_one(
    an_answering: Callable[[bytes], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEZAKO_PATIENCE", "0.5")
    with pytest.raises(TookTooLong):
        an_answering(b"").predict(RED)


def test_a_full_one_is_quoted(an_answering: Callable[[bytes], Engine]) -> None:
    engine = an_answering(_response(429, {"error": "Too many pictures are waiting here."}))
    with pytest.raises(EngineError, match="Too many"):
        engine.predict(RED)


GOOD = {"label": "red", "labels": ["red"], "probabilities": {"red": 1.0}, "known": True}


@pytest.mark.parametrize(
    "said",
    [b"no HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]",
     b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"]
    + [(GOOD | wrong) for wrong in (
        {"probabilities": {"red": math.nan}}, {"probabilities": {"red": 7}}, {"labels": 3},
        {"probabilities": None}, {"label": "a stranger"})],
)  # fmt: skip
def test_odd_answers(
    an_answering: Callable[[bytes], Engine], said: bytes | dict[str, object]
) -> None:
    response = said if isinstance(said, bytes) else _response(200, said)
    with pytest.raises(EngineError, match=LOST):
        an_answering(response).predict(RED)


@pytest.mark.parametrize(
    "text", ["", "engine", "ftp://a.example", "http://", "http://me:secret@a.example",
             "http://a.example/?x", "http://a.example:99999", "file:///etc/passwd"]
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="no address of an engine"):
        address_of(text)


def _response(status: int, message: object) -> bytes:
    body = json.dumps(message).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
