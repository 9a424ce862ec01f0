"""A Ray Serve replica: one worker with the model, asked in batches."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image
from ray import serve

from kezako.api.responses import summary
from kezako.errors import KezakoError
from kezako.scale.packed import Packed
from kezako.worker.client import Predictor
from kezako.worker.protocol import Outcome, problem, reason
from kezako.worker.retrying import RetryingWorker

TOGETHER = 8  # pictures per request to the worker


class Model:
    """Classifies pictures in a worker process, so that a picture cannot crash the replica."""

    def __init__(self, packed: Packed, seconds_each: float):
        self._models = packed.unpack()
        self._packed = packed
        self._worker = RetryingWorker(Predictor(Path(self._models.name), threads=1), seconds_each)
        self._thread = ThreadPoolExecutor(1, "kezako-patient")
        # A replica counts as ready once it is constructed, so it must answer one picture first.
        outcome = self._worker.ask([packed.name], [_white()])[0]
        if problem(outcome):
            raise KezakoError(reason(outcome))

    # Do not wait to fill a batch: what arrives during one request is sent together in the next.
    @serve.batch(max_batch_size=TOGETHER, batch_wait_timeout_s=0.0)
    async def classify(self, pictures: list[bytes]) -> list[Outcome]:
        """Outcomes for a batch of pictures."""
        loop = asyncio.get_running_loop()
        names = [self._packed.name]
        return await loop.run_in_executor(self._thread, self._worker.ask, names, pictures)

    async def summary(self) -> dict[str, object]:
        """The summary of the classifier, as in /api/models."""
        return summary(self._packed.name, self._packed.card)


def _white() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "white").save(file, "PNG")
    return file.getvalue()
