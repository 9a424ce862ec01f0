"""Admission: who has a place, who waits, and who is next. No network or kernel code."""

from __future__ import annotations

import ipaddress
import math
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kezako.serve.limits import Limits
from voila_snapshot.rate_limit import RateLimiter

LOOK_AGAIN = 5  # seconds between two requests of a waiting page
PATIENCE = 3 * LOOK_AGAIN  # seconds; a ticket without a request for so long expires
QUEUE = 500  # tickets; each takes a few hundred bytes, and a longer wait makes no sense
# Share of the places that one address may have: a school class behind one router, but not all.
SHARE = 3 / 4
# How long a wait takes is told from the ends of so many visits, within so many seconds.
ENDS, FEWEST, RECENTLY = 12, 3, 1800


@dataclass(eq=False)
class Session:
    """A visitor who has a place. Times are in seconds of `Visitors.clock`."""

    address: str
    since: float
    active: float  # when the visitor last did something
    idle: float  # when the kernel was last seen with nothing to do
    handshakes: RateLimiter  # each takes five sockets in the server for a moment
    kernel: str = ""
    model: str = ""  # the classifier that the page's URL asks for
    sockets: set[Any] = field(default_factory=set)
    opened: bool = False
    left: float = 0.0  # when the last socket closed
    memory: int = 0  # bytes of the kernel's private memory at the last measurement
    looked: float = 0.0


@dataclass(frozen=True)
class Waiting:
    """A visitor without a place: a ticket for the next request, and how many are before it."""

    ticket: str  # empty if the queue is full, too
    before: int
    crowded: bool  # True if the visitor's own address has used its share
    seconds: float | None = None  # about how long it will take; None if that is not known


@dataclass
class _Ticket:
    address: str
    seen: float


class Visitors:
    """Admits visitors in order of arrival while there is room.

    `room()` gives the number of free places. One address gets at most its share of places, so that
    nobody can take all of them. Loopback addresses may all come from a proxy, so they have no share
    unless the limits set one.
    """

    def __init__(
        self,
        limits: Limits,
        room: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits, self.room, self.clock = limits, room, clock
        self._sessions: set[Session] = set()
        self._kernels: dict[str, Session] = {}
        self._held: Counter[str] = Counter()  # places by address
        # Arrivals are rate-limited by address, since each forks a kernel.
        self._arrivals: dict[str, RateLimiter] = {}
        self._tickets: dict[str, _Ticket] = {}  # in order of arrival
        self._ends: deque[float] = deque(maxlen=ENDS)  # when the last visits ended

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions))

    @property
    def waiting(self) -> int:
        self._forget()
        return len(self._tickets)

    @property
    def places(self) -> int:
        """Number of places, taken and free."""
        return len(self._sessions) + self.room()

    def admit(self, address: str, ticket: str = "") -> Session | Waiting:
        """Give a place, or a position in the queue. `address` is in the form of `neighbourhood`."""
        self._forget()
        known = self._tickets.get(ticket)
        if known is not None:
            known.seen = self.clock()
        share = self._share()
        crowded = self._held.get(address, 0) >= share(address)
        before = self._before(ticket if known else "", share)
        if not crowded and self.room() > before:
            if self._may_come(address):
                self._tickets.pop(ticket, None)
                return self._admit(address)
            crowded = True
        seconds = None if crowded else self._expected(before)
        return Waiting(self._ticket(address) if known is None else ticket, before, crowded, seconds)

    def of(self, kernel: str) -> Session | None:
        return self._kernels.get(kernel)

    def give(self, session: Session, kernel: str) -> bool:
        """Set the visitor's kernel; False if the visitor has left in the meantime."""
        if session not in self._sessions:
            return False
        session.kernel = kernel
        self._kernels[kernel] = session
        return True

    def leave(self, session: Session) -> bool:
        """Free a place; False if it was free already."""
        if session not in self._sessions:
            return False
        self._sessions.discard(session)
        self._ends.append(self.clock())
        self._kernels.pop(session.kernel, None)
        self._held[session.address] -= 1
        if not self._held[session.address]:
            del self._held[session.address]
        return True

    def overdue(self, session: Session) -> str:
        """Why this visit must end: "unopened", "gone" or "asleep"; empty if it need not."""
        now, limits = self.clock(), self.limits
        if not session.opened:
            return "unopened" if now - session.since > limits.opening else ""
        if not session.sockets:
            returning = limits.returning_when_full if self._tickets else limits.returning
            return "gone" if now - session.left > returning else ""
        idle = limits.idle_when_full if self._tickets else limits.idle
        return "asleep" if now - session.active > idle else ""

    def _admit(self, address: str) -> Session:
        now = self.clock()
        session = Session(address, now, now, now, RateLimiter(20, 0.5, now))
        self._sessions.add(session)
        self._held[address] += 1
        return session

    def _share(self) -> Callable[[str], float]:
        """A function that gives the number of places that an address may have."""
        most = self.limits.visitors_per_address
        if most is not None:
            return lambda address: most
        part = max(1, math.floor(SHARE * self.places))
        return lambda address: math.inf if _is_here(address) else part

    def _may_come(self, address: str) -> bool:
        if _is_here(address):
            return True
        now, limits = self.clock(), self.limits
        if address not in self._arrivals:
            for other in [a for a, meter in self._arrivals.items() if meter.is_full(now)]:
                del self._arrivals[other]
            new = RateLimiter(limits.arrivals_at_once, limits.arrivals_a_second, now)
            self._arrivals[address] = new
        return self._arrivals[address].allow(now)

    def _before(self, ticket: str, share: Callable[[str], float]) -> int:
        """How many visitors before this ticket could get a place."""
        before = 0
        for other, waiting in self._tickets.items():
            if other == ticket:
                break
            before += self._held.get(waiting.address, 0) < share(waiting.address)
        return before

    def _expected(self, before: int) -> float | None:
        """Seconds until so many others and one more have got a place, if places go on to free up
        as they did; None if too few visits ended lately."""
        now = self.clock()
        recent = [end for end in self._ends if now - end <= RECENTLY]
        if len(recent) < FEWEST:
            return None
        return (before + 1) * (now - recent[0]) / len(recent)

    def _ticket(self, address: str) -> str:
        """A new ticket; empty if the queue, or this address's part of it, is full."""
        held = sum(ticket.address == address for ticket in self._tickets.values())
        part = QUEUE if _is_here(address) else max(3, self.places)
        if len(self._tickets) >= QUEUE or held >= part:
            return ""
        ticket = secrets.token_urlsafe(12)
        self._tickets[ticket] = _Ticket(address, self.clock())
        return ticket

    def _forget(self) -> None:
        oldest = self.clock() - PATIENCE
        for ticket in [t for t, waiting in self._tickets.items() if waiting.seen < oldest]:
            del self._tickets[ticket]


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
