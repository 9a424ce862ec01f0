"""A pool of subprocesses that check pictures, so that no picture can crash the gathering."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import subprocess
import sys
from asyncio.subprocess import Process
from pathlib import Path

from kezako.gather.check import MIN_SIDE, READY, Checked, Reject

PROCESSES = min(4, os.cpu_count() or 1)
SECONDS_EACH = 20.0  # a 64-megapixel PNG takes 3 on a slow core
SECONDS_TO_START = 120.0  # for a process, which may have to wait for others
_ROOT = Path(__file__).parents[2]
_MAX_ANSWER = 16 * 2**20  # bytes; a 512-pixel JPEG has a hundredth of that
# Last in the path, so that it shadows no module.
_PATH = "import sys; sys.path.append(sys.argv[1]); "
_PROGRAM = "from kezako.gather.check import serve; serve()"
# One thread each, since there is one process per core; and no imports from the working directory.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}


class Checkers:
    """`async with Checkers() as checkers: await checkers.check(data)`."""

    def __init__(
        self,
        processes: int | None = None,  # at once; None: PROCESSES
        seconds: float = SECONDS_EACH,  # for one picture; then its process is killed
    ):
        self._seconds = seconds
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._workers = [_Worker() for _ in range(processes or PROCESSES)]

    async def __aenter__(self) -> Checkers:
        for worker in self._workers:
            await worker.start()  # all import their libraries while the first search runs
            self._idle.put_nowait(worker)
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            await worker.stop()

    @property
    def pids(self) -> list[int]:
        """The processes that are running now."""
        return [pid for worker in self._workers if (pid := worker.pid)]

    async def check(
        self,
        data: bytes,
        least: int = MIN_SIDE,  # pixels of the shorter side
    ) -> Checked | Reject:
        """`check(data)` in a subprocess; also a `Reject` if it needs too much time or memory."""
        worker = await self._idle.get()
        try:
            # Retry once: the system may have killed the process for lack of memory.
            for _ in range(2):
                try:
                    await worker.ready()
                    return await asyncio.wait_for(worker.ask(data, least), self._seconds)
                except TimeoutError:
                    await worker.stop()
                    return Reject("broken", f"too slow: not decoded in {self._seconds:g} seconds")
                except (EOFError, OSError, ValueError):
                    await worker.stop()
            return Reject("broken", "unreadable: it brought the decoder down")
        except asyncio.CancelledError:
            await worker.stop()  # half an answer may be left in its pipe
            raise
        finally:
            self._idle.put_nowait(worker)


class _Worker:
    def __init__(self) -> None:
        self._process: Process | None = None
        self._is_ready = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> Process:
        if self._process is None:
            self._is_ready = False
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                _PATH + _PROGRAM,
                str(_ROOT),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env={**os.environ, **_ENVIRONMENT},
            )
        return self._process

    async def ready(self) -> None:
        """Wait until the process can take a request. Raises `EOFError` or `OSError` if it ends."""
        process = await self.start()
        if self._is_ready:
            return
        assert process.stdout
        said = process.stdout.readexactly(len(READY))
        try:
            self._is_ready = await asyncio.wait_for(said, SECONDS_TO_START) == READY
        except TimeoutError:
            raise EOFError("a checking process does not start") from None

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()

    async def ask(self, data: bytes, least: int) -> Checked | Reject:
        process = await self.start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(struct.pack(">II", len(data), least))
        process.stdin.write(data)
        await process.stdin.drain()
        sizes = struct.unpack(">II", await process.stdout.readexactly(8))
        if sum(sizes) > _MAX_ANSWER:
            raise ValueError("the answer of a checking process is out of bounds")
        values = json.loads(await process.stdout.readexactly(sizes[0]))
        jpeg = await process.stdout.readexactly(sizes[1])
        return Checked(jpeg=jpeg, **values) if jpeg else Reject(**values)
