"""Manage visits: how many more visitors there is room for, and whose visit must end."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from jupyter_core.utils import ensure_async

from kezako.serve import memory
from kezako.serve.admission import Session, Visitors
from kezako.serve.limits import MIB, Limits
from kezako.serve.websocket import ASLEEP, GONE, STOPPING, TOO_HEAVY, TOO_MUCH, VisitorChannels

EVERY = 1.0  # seconds between two checks of all visits
MEASURED_EVERY = 5.0  # seconds between two measurements of a kernel's memory
# Seconds between two calls of `memory.give_back`, each of which blocks the server.
TIDIED_EVERY = 10.0
MEASURED_AT_ONCE = 20  # kernels measured in one round; each takes about a millisecond
# File descriptors of one visitor in the server: five ZeroMQ sockets and a connection.
DESCRIPTORS = 24
# Bytes of a kernel, forked or newly started, until some have been measured.
FORKED, STARTED = 20 * MIB, 150 * MIB
LEAST = 10 * MIB
RESERVE = 32 * MIB, 0.06  # kept free for photos in flight: minimum, and share of all memory

_FAREWELLS = {
    "unopened": GONE,
    "gone": GONE,
    "asleep": ASLEEP,
    "died": GONE,
    "heavy": TOO_HEAVY,
    "busy": TOO_HEAVY,
}
_PLAIN = re.compile(r"[\w.-]{1,64}")


def visit_log() -> logging.Logger:
    """A logger of one line per visit on stdout: model, length and ending, but not who."""
    log = logging.getLogger("kezako.visits")
    if not log.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    return log


class SessionManager:
    """One per server. Call `start` when the event loop runs, and `stop` before it ends."""

    def __init__(self, limits: Limits, kernels: Any, log: logging.Logger) -> None:
        self.limits, self.kernels, self.log = limits, kernels, log
        self.visitors = Visitors(limits, self.room)
        self.ready: Callable[[], bool] = lambda: True  # whether the page can be served
        self.ended: Counter[str] = Counter()  # number of visits by how they ended
        self.turned_away = 0  # how often a waiting page was served
        self._open_files = memory.descriptors()
        self._all = memory.total()
        self._left = memory.left()
        # Memory of kernels that were used, in bytes.
        self._sizes: deque[int] = deque([FORKED], maxlen=100)
        self._tidied = 0, 0.0  # at the last tidying: number of ended visits, and time
        self._endings: set[asyncio.Task[None]] = set()
        self._rounds: asyncio.Task[None] | None = None

    # Room

    def room(self) -> int:
        """For how many more visitors there is room now."""
        taken = len(self.visitors)
        if self.limits.visitors is not None:
            return max(0, self.limits.visitors - taken)
        spare = self._left - self._reserve - self._promised()
        return max(
            0,
            min(
                spare // self.size,
                self.limits.most_visitors - taken,
                (self._open_files - 200) // DESCRIPTORS - taken,
            ),
        )

    @property
    def size(self) -> int:
        """Bytes that one more visitor is expected to need: the 90th percentile of the last 100."""
        ordered = sorted(self._sizes)
        return max(LEAST, ordered[math.ceil(0.9 * len(ordered)) - 1])

    def expect(self, size: int) -> None:
        """Assume that each of the first visitors needs so many bytes."""
        self._sizes.append(size)

    @property
    def _reserve(self) -> int:
        return max(RESERVE[0], int(RESERVE[1] * self._all))

    def _promised(self) -> int:
        """Bytes that recently admitted visitors are expected to need but do not use yet."""
        return sum(max(0, self.size - session.memory) for session in self.visitors)

    # Rounds

    def start(self) -> None:
        self._rounds = asyncio.get_running_loop().create_task(self._go_round())

    async def _go_round(self) -> None:
        while True:
            try:
                await self._round()
            except Exception:
                self.log.exception("A round through the visitors failed.")
            await asyncio.sleep(EVERY)

    async def _round(self) -> None:
        self._left = memory.left()
        for session in self.visitors:
            why = self.visitors.overdue(session)
            if not why and session.kernel:
                why = await self._ails(session)
            if why:
                self.end(session, why)
        self._measure()
        self._relieve()
        self._tidy()

    async def _ails(self, session: Session) -> str:
        """What is wrong with a visitor's kernel: "died" or "busy"; empty if nothing is."""
        if session.kernel not in self.kernels:
            return "died"
        kernel = self.kernels.get_kernel(session.kernel)
        if not await ensure_async(kernel.is_alive()):
            return "died"
        now = self.visitors.clock()
        # CPU time is no good measure: on a busy host, well-behaved kernels wait for it, too.
        if not session.opened or kernel.execution_state != "busy":
            session.idle = now
        return "busy" if now - session.idle > self.limits.busy else ""

    def _measure(self) -> None:
        """Measure the kernels in turn, and end those that use too much memory."""
        now = self.visitors.clock()
        due = [p for p in self.visitors if p.kernel and now - p.looked > MEASURED_EVERY]
        for session in sorted(due, key=lambda session: session.looked)[:MEASURED_AT_ONCE]:
            self._look_at(session, now)

    def _look_at(self, session: Session, now: float) -> None:
        pid = self._pid(session.kernel)
        if pid is None:
            return
        session.memory, session.looked = memory.alone(pid), now
        if session.opened and session.memory:
            self._sizes.append(session.memory)
        if session.memory > self.limits.kernel_memory:
            self.end(session, "heavy")

    def _pid(self, kernel: str) -> int | None:
        if kernel not in self.kernels:
            return None
        return getattr(self.kernels.get_kernel(kernel).provisioner, "pid", None)

    def _relieve(self) -> None:
        """When memory is short, end the visit that uses most, to save the server."""
        held = {
            session: sum(socket.held() for socket in session.sockets) for session in self.visitors
        }
        if sum(held.values()) > 2 * self.limits.message + self._all // 8:
            self.end(max(held, key=lambda session: held[session]), "flood", TOO_MUCH)
        elif self._left < self._reserve // 2 and held:
            heaviest = max(held, key=lambda session: held[session] + session.memory)
            if held[heaviest] + heaviest.memory > 2 * self.size:
                self.end(heaviest, "heavy")

    def _tidy(self) -> None:
        """Return memory that the allocator keeps after visits: 60 kB each, if there were many."""
        now, ended = self.visitors.clock(), self.ended.total()
        if ended != self._tidied[0] and now - self._tidied[1] > TIDIED_EVERY:
            self._tidied = ended, now
            memory.give_back()

    # Endings

    def give(self, session: Session, kernel: str) -> None:
        """Record whose kernel has started; shut it down if the visitor did not wait."""
        if not self.visitors.give(session, kernel):
            self._end_soon(kernel)

    def end(self, session: Session, why: str, farewell: tuple[int, str] | None = None) -> None:
        """End a visit: free its place, close its sockets, shut down its kernel, log one line."""
        if not self.visitors.leave(session):
            return
        self.ended[why] += 1
        for socket in tuple(session.sockets):
            socket.dismiss(*(farewell or _FAREWELLS.get(why, GONE)))
        seconds = self.visitors.clock() - session.since
        model = session.model if _PLAIN.fullmatch(session.model) else "-"
        self.log.info("visit: model %s, %d s, %s", model, seconds, why)
        if session.kernel in self.kernels:
            self._end_soon(session.kernel)

    def _end_soon(self, kernel: str) -> None:
        task = asyncio.get_running_loop().create_task(self._end_kernel(kernel))
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def _end_kernel(self, kernel: str) -> None:
        try:
            await ensure_async(self.kernels.shutdown_kernel(kernel, now=True))
        except Exception:
            if kernel in self.kernels:
                self.log.exception("A kernel could not be ended.")
        finally:
            self._close_channels(kernel)

    def _close_channels(self, kernel: str) -> None:
        """Close the channels of a socket that closed while its kernel was shut down: Jupyter's
        manager keeps them for a page that reconnects."""
        kept = self.kernels._kernel_buffers.pop(kernel, None)
        for stream in (kept or {}).get("channels", {}).values():
            if not stream.closed():
                stream.on_recv(None)
                stream.close()

    async def stop(self, seconds: float) -> None:
        """Tell all visitors, and shut down their kernels within about `seconds` + 1 seconds."""
        if self._rounds is not None:
            self._rounds.cancel()
        sockets: list[VisitorChannels] = [s for session in self.visitors for s in session.sockets]
        for session in self.visitors:
            self.end(session, "stopping", STOPPING)
        if self._endings:
            await asyncio.wait(tuple(self._endings), timeout=seconds)
        end = time.monotonic() + 1
        while time.monotonic() < end and any(s.ws_connection is not None for s in sockets):
            await asyncio.sleep(0.05)
