"""The bounded queue before the one model: requests take turns, picture by picture."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from traitlets.log import get_logger

from kezako.serve.api_settings import ApiSettings
from kezako.serve.metrics import Metrics
from kezako.serve.predictor import Died, Predictor

Picture = bytes | memoryview
Outcome = dict[str, Any]  # what the API says of one picture, or {"refused" | "failed": sentence}

STARTING = 60.0  # s that a worker may take to load its libraries on a busy machine
SLOW = "This picture takes too long to open here. Please send a smaller copy."
FATAL = "This picture cannot be opened here. Please send another one, or a smaller copy."
NO_WORKER = "The classifier does not start here; the server's log says why."


class Full(Exception):
    """No place in the queue; `seconds` says when to come again."""

    def __init__(self, seconds: int):
        super().__init__(seconds)
        self.seconds = seconds


class Late(Exception):
    """The deadline passed before all pictures were answered."""


@dataclass(eq=False)
class _Request:
    names: Sequence[str]  # of classifiers; the first that opens answers
    left: deque[Picture]
    done: asyncio.Future[list[Outcome]]
    since: float = field(default_factory=time.monotonic)
    outcomes: list[Outcome] = field(default_factory=list)


class Queue:
    """`await queue.ask(names, pictures)`, from one event loop."""

    def __init__(self, predictor: Predictor, settings: ApiSettings, metrics: Metrics):
        self._predictor = predictor
        self._settings = settings
        self._metrics = metrics
        self._requests: deque[_Request] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kezako-predictor")
        self._running: asyncio.Task[None] | None = None
        self._usual = 0.05  # s for one picture, as they took lately

    @property
    def waiting(self) -> int:
        """Pictures that are not answered yet, the one being classified left out."""
        return sum(len(request.left) for request in self._requests)

    def check(self, pictures: int = 1) -> None:
        """Raises `Full` where so many more find no place."""
        if self.waiting + pictures > self._settings.waiting:
            raise Full(max(1, math.ceil(self.waiting * self._usual)))

    async def ask(self, names: Sequence[str], pictures: Sequence[Picture]) -> list[Outcome]:
        """Outcomes in the order of `pictures`. Raises `Full` and `Late`.

        Cancelling it gives its places back.
        """
        self.check(len(pictures))
        done = asyncio.get_running_loop().create_future()
        request = _Request(names, deque(pictures), done)
        self._requests.append(request)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        try:
            return await asyncio.wait_for(done, self._settings.deadline)
        except asyncio.TimeoutError:
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
                self._requests.append(request)  # the others first: many pictures hold up nobody
            elif not request.done.done():
                request.done.set_result(request.outcomes)

    async def _classify(self, names: Sequence[str], picture: Picture) -> Outcome:
        start = time.monotonic()
        for _ in range(2):  # once more, since the system may have ended it for another's sake
            try:
                await self._in_time(STARTING, self._predictor.start)
            except (Died, OSError) as error:
                get_logger().error("The worker of the API does not start: %s", error)
                return {"failed": NO_WORKER}
            try:
                outcome = await self._in_time(
                    self._settings.seconds_each, self._predictor.ask, names, picture
                )
            except _TooLong:
                return {"refused": SLOW}
            except Died as error:
                get_logger().warning("The worker of the API ended on a picture: %s", error)
            else:
                took = time.monotonic() - start
                self._metrics.seconds.observe(took)
                self._usual += 0.1 * (took - self._usual)
                return outcome
        return {"refused": FATAL}

    async def _in_time(self, seconds: float, call: Any, *arguments: Any) -> Any:
        """What `call` returns from the thread; ends the worker where that takes too long."""
        late = False

        def give_up() -> None:
            nonlocal late
            late = True
            self._predictor.kill()

        loop = asyncio.get_running_loop()
        timer = loop.call_later(seconds, give_up)
        try:
            return await loop.run_in_executor(self._thread, call, *arguments)
        except Died as error:
            raise _TooLong(f"it took more than {seconds:g} seconds") if late else error from None
        finally:
            timer.cancel()


def _kind(outcome: Outcome) -> str:
    for kind in ("refused", "failed"):
        if kind in outcome:
            return kind
    return "answered" if outcome["labels"] else "none_of_these"


class _TooLong(Died):
    """The worker was ended because it took too long."""
