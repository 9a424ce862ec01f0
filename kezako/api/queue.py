"""The bounded queue in front of the model: requests take turns, picture by picture."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kezako.api.metrics import Metrics
from kezako.api.settings import ApiSettings
from kezako.worker.client import Predictor
from kezako.worker.protocol import Outcome, Picture
from kezako.worker.retrying import RetryingWorker


class Full(Exception):
    """The queue is full; `seconds` says when to try again."""

    def __init__(self, seconds: int):
        super().__init__(seconds)
        self.seconds = seconds


class Late(Exception):
    """The deadline passed before all pictures were answered."""


@dataclass(eq=False)
class _Request:
    names: Sequence[str]  # of classifiers; the first that can be opened answers
    left: deque[Picture]
    done: asyncio.Future[list[Outcome]]
    since: float = field(default_factory=time.monotonic)
    outcomes: list[Outcome] = field(default_factory=list)


class Queue:
    """Use it from one event loop: `await queue.ask(names, pictures)`."""

    def __init__(self, predictor: Predictor, settings: ApiSettings, metrics: Metrics):
        self._predictor = predictor
        self._worker = RetryingWorker(predictor, settings.seconds_each)
        self._settings = settings
        self._metrics = metrics
        self._requests: deque[_Request] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kezako-predictor")
        self._running: asyncio.Task[None] | None = None
        self._usual = 0.05  # moving average of seconds per picture

    @property
    def waiting(self) -> int:
        """Number of pictures in the queue, without the one being classified."""
        return sum(len(request.left) for request in self._requests)

    def check(self, pictures: int = 1) -> None:
        """Raises `Full` if there is no room for so many more pictures."""
        if self.waiting + pictures > self._settings.waiting:
            raise Full(max(1, math.ceil(self.waiting * self._usual)))

    async def ask(self, names: Sequence[str], pictures: Sequence[Picture]) -> list[Outcome]:
        """Outcomes in the order of `pictures`. Raises `Full` and `Late`.

        If it is cancelled, its pictures leave the queue.
        """
        self.check(len(pictures))
        done = asyncio.get_running_loop().create_future()
        request = _Request(names, deque(pictures), done)
        self._requests.append(request)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        try:
            return await asyncio.wait_for(done, self._settings.deadline)
        except TimeoutError:
            raise Late from None
        finally:
            request.left.clear()

    def close(self) -> None:
        self._predictor.close()
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        while self._requests:
            request = self._requests.popleft()
            if not request.left:
                continue
            self._metrics.waited.observe(time.monotonic() - request.since)
            outcome = await self._classify(request.names, request.left.popleft())
            request.since = time.monotonic()
            self._metrics.predictions.labels(_kind(outcome)).inc()
            request.outcomes.append(outcome)
            if request.left:
                # To the end: a request with many pictures does not block others.
                self._requests.append(request)
            elif not request.done.done():
                request.done.set_result(request.outcomes)

    async def _classify(self, names: Sequence[str], picture: Picture) -> Outcome:
        start = time.monotonic()
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._thread, self._worker.ask, names, [picture])
        outcome = (await asked)[0]
        if "failed" not in outcome:
            took = time.monotonic() - start
            self._metrics.seconds.observe(took)
            self._usual += 0.1 * (took - self._usual)
        return outcome


def _kind(outcome: Outcome) -> str:
    for kind in ("refused", "failed"):
        if kind in outcome:
            return kind
    return "answered" if outcome["labels"] else "none_of_these"
