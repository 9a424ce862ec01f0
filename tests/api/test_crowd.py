"""A hundred programs at once: each gets the answer to its own picture."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest

from kezako.model.classifier import Classifier
from tests.api.client import Client, colour
from tests.servers import DEADLINE, until

CROWD = 100


def test_no_answer_is_crossed(an_api: Client, a_home: Path) -> None:
    random = np.random.default_rng(7)
    pictures = [colour(*map(int, mean)) for mean in random.integers(0, 256, (CROWD, 3))]
    classifier = Classifier.open(a_home / "models" / "colours")
    expected = [dict(classifier.predict(picture).probabilities) for picture in pictures]
    assert len({tuple(one.values()) for one in expected}) == CROWD
    answers = asyncio.run(_ask(an_api.address, pictures))
    for answer, probabilities in zip(answers, expected, strict=True):
        assert answer == pytest.approx(probabilities, abs=1e-6)
    until(lambda: an_api.figure("kezako_api_open_requests") == 0)
    assert an_api.figure("kezako_api_body_bytes") == 0
    assert an_api.figure("kezako_waiting_pictures") == 0


async def _ask(address: str, pictures: list[bytes]) -> list[dict[str, float]]:
    limits = httpx.Limits(max_connections=len(pictures))
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=DEADLINE) as http:
        sent = [http.post("api/predict", files={"file": picture}) for picture in pictures]
        responses = await asyncio.gather(*sent)
    return [response.json()["probabilities"] for response in responses]
