"""A host's process, and visitors of its page."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kezako.gather.sample import CLASSES, draw_face
from kezako.model.classifier import Classifier
from kezako.model.wording import headline
from tests.limits.guest import ask
from tests.page.photos import encoded
from tests.serve.visitor import Visitor

BEARS = Path(__file__).parents[2] / "models" / "bears"
DEADLINE = 90  # seconds that a busy machine may take


@dataclass(frozen=True)
class Running:
    """A server that a host would have started."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def until_ready(self, path: str = "healthz") -> Running:
        end = time.monotonic() + DEADLINE
        while True:
            assert self.process.poll() is None, f"It ended:\n{self.said[-3000:]}"
            try:
                if ask(self.address, path).status == 200:
                    return self
            except OSError:
                pass  # not bound yet
            assert time.monotonic() < end, f"It did not become ready:\n{self.said[-3000:]}"
            time.sleep(0.1)


@contextmanager
def running(
    command: Sequence[str],
    folder: Path,  # where it runs; its log is written beside
    port: int,
    **settings: str,  # all of its environment
) -> Iterator[Running]:
    """A process that a host starts there; it ends with the block."""
    log = folder.with_name(f"{folder.name}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=settings, stdout=output, stderr=output,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        yield Running(f"http://127.0.0.1:{port}/", process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def come_and_classify(address: str, visitors: int) -> None:
    """So many, who are there together, are each told what the classifier says of their picture."""

    async def come(number: int) -> Visitor:
        visitor = Visitor(address, {"X-Forwarded-For": f"203.0.113.{number}"})
        return await (await visitor.opens()).connects()

    async def all_of_them() -> None:
        here = [await come(number) for number in range(visitors)]
        for number, visitor in enumerate(here):
            photo = a_photo(number)
            told = await visitor.classifies(f"{number}.jpg", photo)
            assert told == headline(bears.card, bears.predict(photo))
        for visitor in here:
            await visitor.leaves()

    bears = Classifier.open(BEARS)
    asyncio.run(all_of_them())


def a_photo(number: int) -> bytes:
    return encoded(draw_face(CLASSES[number % len(CLASSES)], number), "JPEG")
