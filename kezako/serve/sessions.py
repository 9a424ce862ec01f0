"""Looks after the visitors: how many more there is room for, and whose time is over."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from jupyter_core.utils import ensure_async

from kezako.serve import memory
from kezako.serve.admission import Session, Visitors
from kezako.serve.limits import MIB, Limits
from kezako.serve.websocket import ASLEEP, GONE, STOPPING, TOO_HEAVY, TOO_MUCH, VisitorChannels

EVERY = 1.0  # seconds between two rounds
MEASURED_EVERY = 5.0  # seconds between two looks at a kernel's memory
TIDIED_EVERY = 10.0  # seconds between two returns of memory, each of which holds up the server
MEASURED_AT_ONCE = 20  # kernels looked at in one round: each costs about a millisecond
DESCRIPTORS = 24  # that one visitor takes in the server: five ZeroMQ sockets and a connection
FORKED, STARTED = 20 * MIB, 150 * MIB  # what a kernel takes, until some have been measured
LEAST = 10 * MIB
RESERVE = 32 * MIB, 0.06  # kept free, for photos in flight: at least, and as a share of all memory

_FAREWELLS = {
    "unopened": GONE,
    "gone": GONE,
    "asleep": ASLEEP,
    "died": GONE,
    "heavy": TOO_HEAVY,
    "busy": TOO_HEAVY,
}
_PLAIN = re.compile(r"[\w.-]{1,64}")


class SessionManager:
    """One for a server. `start` it when the loop runs; `stop` it before the loop ends."""

    def __init__(self, limits: Limits, kernels: Any, log: logging.Logger) -> None:
        self.limits, self.kernels, self.log = limits, kernels, log
        self.visitors = Visitors(limits, self.room)
        self.ready: Callable[[], bool] = lambda: True  # whether the page can be given out
        self.ended: Counter[str] = Counter()  # visits by how they ended
        self.turned_away = 0  # times that somebody was asked to wait
        self._open_files = memory.descriptors()
        self._all = memory.total()
        self._left = memory.left()
        self._sizes: deque[int] = deque([FORKED], maxlen=100)  # of kernels that were used
        self._tidied = 0, 0.0  # how many visits had ended then, and when that was
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
        """Bytes that one more visitor will take: what nine of ten took at most."""
        ordered = sorted(self._sizes)
        return max(LEAST, ordered[math.ceil(0.9 * len(ordered)) - 1])

    def expect(self, size: int) -> None:
        """Let the first visitors in as if each took so many bytes."""
        self._sizes.append(size)

    @property
    def _reserve(self) -> int:
        return max(RESERVE[0], int(RESERVE[1] * self._all))

    def _promised(self) -> int:
        """Bytes that those who have just come have not taken yet."""
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
        """What is wrong with a visitor's kernel: "died", "busy"; or nothing."""
        if session.kernel not in self.kernels:
            return "died"
        kernel = self.kernels.get_kernel(session.kernel)
        if not await ensure_async(kernel.is_alive()):
            return "died"
        now = self.visitors.clock()
        # Processor time would say less: on a busy host it is scarce for those who behave, too.
        if not session.opened or kernel.execution_state != "busy":
            session.idle = now
        return "busy" if now - session.idle > self.limits.busy else ""

    def _measure(self) -> None:
        """Look at the kernels in turn: who takes too much memory."""
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
        """When memory runs short, the one who holds most goes, rather than the server."""
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
        """Give back what ended visits leave in the allocator: 60 kB each, where many were here."""
        now, ended = self.visitors.clock(), self.ended.total()
        if ended != self._tidied[0] and now - self._tidied[1] > TIDIED_EVERY:
            self._tidied = ended, now
            memory.give_back()

    # Endings

    def give(self, session: Session, kernel: str) -> None:
        """Note whose kernel has started; end it where its visitor has not waited for it."""
        if not self.visitors.give(session, kernel):
            self._end_soon(kernel)

    def end(self, session: Session, why: str, farewell: tuple[int, str] | None = None) -> None:
        """Free a place: say goodbye, end its kernel, write one line about the visit."""
        if not self.visitors.leave(session):
            return
        self.ended[why] += 1
        code, sentence = farewell or _FAREWELLS.get(why, GONE)
        for socket in tuple(session.sockets):
            socket.close(code, sentence)
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
        """Of a socket that closed while its kernel was being ended: the manager keeps them, for a
        page that would come back."""
        kept = self.kernels._kernel_buffers.pop(kernel, None)
        for stream in (kept or {}).get("channels", {}).values():
            if not stream.closed():
                stream.on_recv(None)
                stream.close()

    async def stop(self, seconds: float) -> None:
        """Tell everybody, and end their kernels."""
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
