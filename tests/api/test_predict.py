"""A picture in, in any of the ways, and the classifier's own answer out."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.model.bundle import MODEL
from kezako.model.classifier import Classifier
from kezako.model.wording import sentence
from tests.api.client import Client, Response, assert_error, colour, text64
from tests.needs import PHOTOS, needs

RED, GREEN = colour(250, 20, 20), colour(20, 250, 20)


def test_a_form(an_api: Client) -> None:
    answer = an_api.send(RED).json()
    assert answer["label"] == "red"
    assert answer["labels"] == ["red"]
    assert answer["known"] is True
    assert answer["milliseconds"] > 0


@pytest.mark.parametrize("kind", ["image/png", "image/anything", "application/octet-stream", None])
def test_a_picture_as_it_is(an_api: Client, kind: str | None) -> None:
    assert an_api.send_plain(GREEN, kind).json()["label"] == "green"


@pytest.mark.parametrize("before", ["", "data:image/png;base64,"])
def test_json(an_api: Client, before: str) -> None:
    assert an_api.send_json({"picture": before + text64(GREEN)}).json()["label"] == "green"


def test_base64_in_lines(an_api: Client) -> None:
    text = text64(RED)
    lines = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    assert an_api.send_json({"picture": lines}).json()["label"] == "red"


def test_several_are_answered_in_order_and_a_bad_one_spoils_none(an_api: Client) -> None:
    expected = ["red", "green", None, "red"]
    sent = [RED, GREEN, b"no picture", RED]
    for response in (
        an_api.send(*sent),
        an_api.send_json({"pictures": [text64(picture) for picture in sent]}),
    ):
        assert response.status_code == 200
        answers = response.json()["answers"]
        assert [answer.get("label") for answer in answers] == expected
        assert answers[2] == {"error": answers[2]["error"]}
        assert "not a picture" in answers[2]["error"]


def test_a_list_of_one_stays_a_list(an_api: Client) -> None:
    answers = an_api.send_json({"pictures": [text64(RED)]}).json()["answers"]
    assert [answer["label"] for answer in answers] == ["red"]


def test_no_picture_alone(an_api: Client) -> None:
    assert_error(an_api.send(b"no picture"), 422, "not a picture")


def test_nothing_at_all(an_api: Client) -> None:
    assert_error(an_api.send_plain(b""), 422, "empty")


def test_a_named_classifier(an_api: Client) -> None:
    answer = an_api.send(colour(250, 250, 250), model="tints").json()
    assert set(answer["labels"]) == {"red", "green", "blue"}
    assert answer["model"]["name"] == "tints"


@pytest.mark.parametrize("name", ["unknown", "../colours", "starter", "<script>", "colours/"])
def test_an_unknown_classifier(an_api: Client, name: str) -> None:
    assert_error(an_api.send(RED, model=name), 404, "/api/models")


def test_a_broken_classifier(an_api: Client) -> None:
    assert_error(an_api.send(RED, model="worn"), 503, "log")


def test_what_it_says_is_what_the_page_says(an_api: Client, a_home: Path) -> None:
    classifier = Classifier.open(a_home / "models" / "colours")
    picture = colour(130, 120, 20)
    own, answer = classifier.predict(picture), an_api.send(picture).json()
    assert answer["probabilities"] == pytest.approx(dict(own.probabilities), abs=1e-6)
    assert list(answer["probabilities"]) == list(own.probabilities)
    assert answer["sentence"] == sentence(classifier.card, own)
    assert answer["model"] == {"name": "colours", "version": classifier.card.files[MODEL]}


def test_the_bears(an_api: Client, a_home: Path, some_photos: dict[str, list[Path]]) -> None:
    needs(PHOTOS, "teddy" in some_photos)
    classifier = Classifier.open(a_home / "models" / "bears")
    photos = [paths[0].read_bytes() for paths in some_photos.values()]
    answers = an_api.send(*photos, model="bears").json()["answers"]
    for photo, answer in zip(photos, answers, strict=True):
        own = classifier.predict(photo)
        assert answer["label"] == own.label
        assert answer["probabilities"] == pytest.approx(dict(own.probabilities), abs=1e-4)


def test_models(an_api: Client, a_home: Path) -> None:
    models = {model["name"]: model for model in an_api.http.get("api/models").json()["models"]}
    assert next(iter(models)) == "colours"  # which `kezako serve` was told to begin with
    assert "starter" not in models
    assert models["tints"]["task"] == "multi"
    assert models["colours"]["labels"] == ["red", "green", "blue"]
    assert models["tints"]["names"] == {"red": "bright red"}
    assert (models["tints"]["language"], models["tints"]["words"]) == ("", {})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "api/predict", 405), ("PUT", "api/predict", 405), ("DELETE", "api/models", 405),
     ("POST", "healthz", 405), ("GET", "api", 404), ("GET", "api/", 404),
     ("GET", "api/contents", 404), ("GET", "api/predict/x", 404), ("POST", "api/nothing", 404)],
)  # fmt: skip
def test_other_addresses(an_api: Client, method: str, path: str, status: int) -> None:
    response: Response = an_api.http.request(method, path)
    assert_error(response, status)
    assert ("Allow" in response.headers) == (status == 405)
    assert an_api.figure("kezako_visitors") == 0
