"""Health and figures, for the hosts that ask; neither starts a kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.api.routes import Api
from kezako.api.settings import ApiSettings, switched_on
from tests.api.client import Client, colour
from tests.servers import until


def test_ready(an_api: Client) -> None:
    until(lambda: an_api.http.get("healthz").status_code == 200)
    response = an_api.http.get("healthz")
    assert response.json() == {"status": "ready", "missing": []}
    head = an_api.http.head("healthz")
    assert head.status_code == 200
    assert head.content == b""
    assert an_api.figure("kezako_visitors") == 0


def test_not_ready_until_every_part_is(tmp_path: Path) -> None:
    api = Api(tmp_path, settings=ApiSettings())
    ready: list[str] = []
    api.health.add("snapshot", lambda: bool(ready))
    api.health.add("torn", lambda: bool(1 / len(ready)))
    assert api.health.missing() == ["classifier", "snapshot", "torn"]
    ready.append("now")
    assert api.health.missing() == ["classifier"]
    api.close()


def test_figures(an_api: Client) -> None:
    before = an_api.figure("kezako_predictions_total", outcome="answered")
    refused = an_api.figure("kezako_predictions_total", outcome="refused")
    an_api.send(colour(250, 20, 20), b"no picture")
    assert an_api.figure("kezako_predictions_total", outcome="answered") == before + 1
    assert an_api.figure("kezako_predictions_total", outcome="refused") == refused + 1
    assert an_api.figure("kezako_prediction_seconds_count") >= before + 1
    assert an_api.figure("kezako_worker_memory_bytes") > 20e6
    assert an_api.figure("process_resident_memory_bytes") > 20e6
    assert "text/plain" in an_api.http.get("metrics").headers["Content-Type"]


def test_a_gauge_that_fails_hides_no_other(tmp_path: Path) -> None:
    api = Api(tmp_path, settings=ApiSettings())
    api.metrics.gauge("kezako_visitors", "Visitors who have the page open.", lambda: 3)
    api.metrics.gauge("kezako_torn", "Raises.", lambda: 1 / 0)
    text = api.metrics.text().decode()
    assert "kezako_visitors 3.0" in text
    assert "kezako_torn" not in text
    api.close()


@pytest.mark.parametrize(
    ("given", "words"),
    [({"KEZAKO_API_WAITING": "many"}, "give a whole number from 1 to"),
     ({"KEZAKO_API_DEADLINE": "nan"}, "give seconds from 0.1 to 3600"),
     ({"KEZAKO_API_BODY": "-1"}, "give MB from 1 to"),
     ({"KEZAKO_API_TOKEN": "gr\xfcn"}, "ASCII")],
)  # fmt: skip
def test_settings_that_cannot_be(given: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ApiSettings.from_environment(given)


def test_the_switch() -> None:
    assert switched_on({})
    assert not switched_on({"KEZAKO_API": "OFF"})
    with pytest.raises(ValueError, match="on or off"):
        switched_on({"KEZAKO_API": "maybe"})
