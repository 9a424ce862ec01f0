"""What the API's worker has to say is marked as its own in the log, and bounded."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tests.api.client import Client, assert_error, colour

RED = colour(250, 20, 20)
TIMES = 300


def test_a_classifier_that_does_not_open_fills_no_log(an_api: Client, a_home: Path) -> None:
    log = a_home / f"{urlsplit(an_api.address).port}.log"
    before = log.stat().st_size
    for _ in range(TIMES):
        assert_error(an_api.send(RED, model="worn"), 503, "log says why")
    text = log.read_bytes()[before:].decode()
    assert 0 < text.count("worn") < TIMES
    assert len(text) < 25_000
    assert {line.partition(": ")[0] for line in text.splitlines()} == {
        "[Server] WARNING | Classifier"
    }
