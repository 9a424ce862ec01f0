"""A worker with timeouts and retries: a picture that crashes or hangs it affects no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from traitlets.log import get_logger

from kezako.worker.client import Died, Predictor
from kezako.worker.protocol import Outcome, Picture

STARTING = 60.0  # seconds that a worker may take to load its libraries on a busy machine
SLOW = "This picture takes too long to open here. Please send a smaller copy."
FATAL = "This picture cannot be opened here. Please send another one, or a smaller copy."
NO_WORKER = "The classifier does not start here; the server's log says why."

T = TypeVar("T")


class RetryingWorker:
    """`ask` blocks and always answers; call it from one thread at a time."""

    def __init__(
        self,
        predictor: Predictor,
        seconds_each: float,  # timeout for one picture; then the worker is killed
    ):
        self._predictor = predictor
        self._seconds = seconds_each

    def ask(self, names: Sequence[str], pictures: Sequence[Picture]) -> list[Outcome]:
        """Outcomes, in order, from the first classifier of `names` that can be opened."""
        # Retry once: the system may have killed the worker for lack of memory.
        for last in (False, True):
            try:
                self._in_time(STARTING, self._predictor.start)
            except (Died, OSError) as error:
                self._log("The worker that classifies does not start", error)
                if last:
                    why = f"The process that classifies does not start: {error}."
                    return [{"failed": NO_WORKER, "why": why} for _ in pictures]
                continue
            try:
                seconds = self._seconds * len(pictures)
                return self._in_time(seconds, lambda: self._predictor.ask(names, pictures))
            except TooLong:
                if len(pictures) == 1:
                    return [{"refused": SLOW}]
            except Died as error:
                self._log("The worker that classifies ended on a picture", error)
            if len(pictures) > 1:  # ask one by one, so that only the picture at fault fails
                return [self.ask(names, [picture])[0] for picture in pictures]
        return [{"refused": FATAL} for _ in pictures]

    def _log(self, what: str, error: Exception) -> None:
        if not self._predictor.closed:
            get_logger().warning("%s: %s", what, error)

    def _in_time(self, seconds: float, call: Callable[[], T]) -> T:
        """The result of `call`; kills the worker after `seconds`, and then raises `TooLong`."""
        with self._ended_after(seconds) as late:
            try:
                return call()
            except Died as error:
                if late.is_set():
                    raise TooLong(f"it took more than {seconds:g} seconds") from error
                raise

    @contextmanager
    def _ended_after(self, seconds: float) -> Iterator[threading.Event]:
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._predictor.kill()

        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()


class TooLong(Died):
    """The worker was killed because it took too long."""
