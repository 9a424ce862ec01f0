"""`kezako scale serve` on a real Ray Serve: no request fails, whatever is exchanged or ends."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.needs import needs_package

needs_package("ray")

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from kezako.model.classifier import Classifier
from kezako.model.remote import Engine, names
from kezako.pictures import NotAPicture
from kezako.workspace import Workspace
from tests.api.client import Client, assert_error, colour
from tests.servers import serving, until

pytestmark = [pytest.mark.slow, pytest.mark.hosts]

RED = colour(250, 20, 20)
STARTING = 600  # seconds that Ray and Ray Serve may take on a busy machine


@pytest.fixture(scope="module")
def an_engine(a_workspace_of_colours: Workspace) -> Iterator[Client]:
    """The API of two replicas."""
    for address in serving(
        ["-m", "kezako", "scale", "serve", "colours", "--port", "{port}", "--at-least", "2"],
        a_workspace_of_colours.root, "healthz", STARTING,
    ):  # fmt: skip
        with Client(address) as client:
            client.http.timeout = STARTING
            _wait_until_ready(client)
            yield client


class Load:
    """`with Load(engine) as load:` asks all the time, from four connections."""

    def __init__(self, engine: Client):
        self._address = engine.address
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]
        self.said: Counter[str] = Counter()  # by label, or what it said or raised instead

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        with Client(self._address) as client:
            while not self._ended.is_set():
                try:
                    answer = client.send(RED)
                except httpx.HTTPError as error:  # a thread would end by it, and none would know
                    self.said[repr(error)] += 1
                    continue
                key = answer.json()["label"] if answer.status_code == 200 else answer.text
                self.said[key] += 1


def test_it_answers_as_the_classifier_does(
    an_engine: Client, a_workspace_of_colours: Workspace
) -> None:
    own = Classifier.open(a_workspace_of_colours.bundle("colours")).predict(RED)
    one, several = an_engine.send(RED).json(), an_engine.send(RED, b"x", RED).json()["answers"]
    assert one["label"] == "red"
    assert one["probabilities"] == pytest.approx(dict(own.probabilities), abs=1e-6)
    assert [answer.get("label") for answer in several] == ["red", None, "red"]
    assert_error(an_engine.send(b"x"), 422, "picture")
    assert_error(an_engine.send(RED, model="other"), 404, "/api/models")
    assert_error(an_engine.send(*[b"x"] * 33), 413, "33")
    assert_error(an_engine.send_plain(RED, "text/plain"), 415)
    assert_error(an_engine.send_plain(RED, Origin="https://stranger.example"), 403)
    assert_error(an_engine.http.get("api/predict"), 405)
    assert_error(an_engine.http.get("elsewhere"), 404)


def test_it_is_described(an_engine: Client) -> None:
    description = an_engine.http.get("api/openapi.json").json()
    OpenAPIV31SpecValidator(description).validate()
    for path, method, response in (
        ("/api/predict", "post", an_engine.send(RED, b"x")),
        ("/api/models", "get", an_engine.http.get("api/models")),
        ("/healthz", "get", an_engine.http.get("healthz")),
    ):
        described = description["paths"][path][method]["responses"][str(response.status_code)]
        schema = described["content"]["application/json"]["schema"]
        whole = {**schema, "components": description["components"]}
        Draft202012Validator(whole).validate(response.json())


def test_a_page_can_ask_it(an_engine: Client) -> None:
    assert names(an_engine.address) == ["colours"]
    engine = Engine.open(an_engine.address, "colours")
    assert engine.predict(RED).label == "red"
    assert engine.card.labels == ("red", "green", "blue")
    with pytest.raises(NotAPicture, match="not a picture"):
        engine.predict(b"x")


def test_a_replica_that_is_killed_costs_no_request(an_engine: Client) -> None:
    with Load(an_engine) as load:
        until(lambda: load.said["red"] > 20)
        replicas = _replicas()
        assert len(replicas) >= 2
        replicas[0].send_signal(signal.SIGKILL)
        before = load.said["red"]
        until(lambda: load.said["red"] > before + 50)
    assert set(load.said) == {"red"}


def test_a_bundle_is_exchanged_without_a_failed_request(
    an_engine: Client, a_workspace_of_colours: Workspace, a_bundle: Callable[..., Path]
) -> None:
    with Load(an_engine) as load:
        until(lambda: load.said["red"] > 20)
        a_bundle(a_workspace_of_colours.models, "colours", ("crimson", "green", "blue"))
        end = time.monotonic() + STARTING
        while not _only_crimson(an_engine):
            assert time.monotonic() < end, "the bundle was not exchanged"
    assert set(load.said) == {"red", "crimson"}
    models = an_engine.http.get("api/models").json()["models"]
    assert models[0]["labels"] == ["crimson", "green", "blue"]


def _wait_until_ready(engine: Client) -> None:
    end = time.monotonic() + STARTING
    while engine.http.get("healthz").status_code != 200:
        assert time.monotonic() < end, "it did not become ready"
        time.sleep(0.1)


def _only_crimson(engine: Client) -> bool:
    """Whether ten answers in a row are the new bundle's."""
    return {engine.send(RED).json()["label"] for _ in range(10)} == {"crimson"}


def _replicas() -> list[psutil.Process]:
    """The processes that hold a model, of this test's own server."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "ray::ServeReplica" in (line := " ".join(child.cmdline())) and "Model" in line:
                found.append(child)
        except psutil.Error:
            continue
    return found
