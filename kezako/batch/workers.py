"""A pool of workers, one per core with one thread each; answers in order."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import psutil

from kezako.worker.client import Predictor
from kezako.worker.process import cores
from kezako.worker.protocol import Outcome
from kezako.worker.retrying import RetryingWorker

AHEAD = 16  # pictures in flight per worker: so many may wait behind a slow one
READING = 2  # threads per worker: one reads the next file while the other waits
LARGEST = 512 * 2**20  # bytes of a file; 64 megapixels without compression have 384 MB
SECONDS_EACH = 20.0  # timeout for one picture; then its worker is killed
MEMORY_EACH = 250 * 2**20  # bytes of a worker with a large picture open

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """`with Workers(models, "bears") as workers: workers.answers(paths)`."""

    def __init__(
        self,
        models: Path,  # the folder of bundles
        name: str,
        processes: int | None = None,  # None: one per core, if memory allows
        seconds: float = SECONDS_EACH,
    ):
        self._name = name
        self._count = processes or _suitable()
        self._predictors = [Predictor(models, threads=1) for _ in range(self._count)]
        self._idle: queue.SimpleQueue[RetryingWorker] = queue.SimpleQueue()
        for predictor in self._predictors:
            self._idle.put(RetryingWorker(predictor, seconds))
        self._threads = ThreadPoolExecutor(READING * self._count, "kezako-worker")

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for predictor in self._predictors:
            predictor.close()  # threads that wait for an answer get none, and end
        self._threads.shutdown()

    def answers(self, paths: Iterable[str]) -> Iterator[tuple[str, Outcome]]:
        """Path and outcome for each of `paths`, in order; `paths` is read lazily."""
        return ordered(self._threads, self._ask, paths, AHEAD * self._count)

    def _ask(self, path: str) -> tuple[str, Outcome]:
        content = read(path)
        if not isinstance(content, bytes):
            return path, content
        worker = self._idle.get()
        try:
            return path, worker.ask([self._name], [content])[0]
        finally:
            self._idle.put(worker)


def ordered(
    threads: ThreadPoolExecutor,
    call: Callable[[Item], Result],
    items: Iterable[Item],
    most: int,  # in flight at once
) -> Iterator[Result]:
    """The results of `call` for each item, in order."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(threads.submit(call, item))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def read(path: str) -> bytes | Outcome:
    """The bytes of a file, or an outcome with the problem."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        name = Path(path).name
        return {"refused": f"The file {name!r} cannot be read ({error.strerror})."}
    return content if len(content) <= LARGEST else too_large(path)


def too_large(path: str) -> Outcome:
    return {"refused": f"The file {Path(path).name!r} is too large for a picture."}


def _suitable() -> int:
    return max(1, min(cores(), psutil.virtual_memory().available // MEMORY_EACH))
