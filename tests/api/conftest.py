"""Real servers with the API, and small real classifiers that tell colours apart."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kezako.model.bundle import MODEL
from tests.api.client import Client
from tests.servers import serving

ROOT = Path(__file__).parents[2]
COLOURS = ("red", "green", "blue")
TOKEN = "a-token-of-this-test"
FRIEND = "https://friend.example"


@pytest.fixture(scope="session")
def a_home(tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]) -> Path:
    """A workspace with several classifiers, one of them broken, beside the shipped bears."""
    home = tmp_path_factory.mktemp("api")
    models = home / "models"
    a_bundle(models, "colours", COLOURS)
    a_bundle(models, "tints", COLOURS, task="multi", names={"red": "bright red"})
    a_bundle(models, "starter", ("a", "b"))
    (a_bundle(models, "worn", ("a", "b")) / MODEL).write_bytes(b"cut short")
    shutil.copytree(ROOT / "models" / "bears", models / "bears")
    return home


@pytest.fixture(scope="session")
def an_api(a_home: Path) -> Iterator[Client]:
    """The API as it comes."""
    yield from _served(a_home)


@pytest.fixture(scope="session")
def a_narrow_api(a_home: Path) -> Iterator[Client]:
    """The API with bounds that a test reaches."""
    yield from _served(
        a_home, KEZAKO_API_WAITING="3", KEZAKO_API_DEADLINE="5", KEZAKO_API_SECONDS_EACH="3",
        KEZAKO_API_SILENCE="1", KEZAKO_API_UPLOAD="3", KEZAKO_API_PICTURES="3",
        KEZAKO_API_BODY="16", KEZAKO_API_JSON="1", KEZAKO_API_REQUESTS="12",
    )  # fmt: skip


@pytest.fixture(scope="session")
def a_patient_api(a_home: Path) -> Iterator[Client]:
    """The API with few places, which waits for whoever has one."""
    yield from _served(
        a_home, KEZAKO_API_REQUESTS="12", KEZAKO_API_SILENCE="600", KEZAKO_API_UPLOAD="600"
    )


@pytest.fixture(scope="session")
def a_guarded_api(a_home: Path) -> Iterator[Client]:
    """The API with a token, and with one other site that may call it."""
    yield from _served(a_home, KEZAKO_API_TOKEN=TOKEN, KEZAKO_API_ORIGINS=FRIEND)


def _served(home: Path, **settings: str) -> Iterator[Client]:
    for address in serving(
        ["-m", "kezako", "serve", "colours", "--no-browser", "--port", "{port}"],
        home,
        "healthz",
        **settings,
    ):
        with Client(address) as client:
            yield client
