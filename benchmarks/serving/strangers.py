"""Visitors who come, classify and leave in all possible ways, and their effect on the server."""

from __future__ import annotations

import asyncio
import html
import re
import socket
import struct
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from benchmarks.serving import light, tree
from benchmarks.serving.peers import Server
from benchmarks.serving.pictures import Picture

# What they do, and how many of a hundred do it.
WAYS = {
    "close the tab": 40,
    "lose the network": 20,  # a router that resets the connection
    "fall silent": 10,  # a phone in a tunnel: the server is not told
    "never open the websocket": 15,  # a crawler, or a browser without script
    "leave while it classifies": 15,
}
TOLERANCE = 1e-3  # of a probability; the page shows a bar's width to the thousandth
_BAR = re.compile(r"<span>(.*?)</span>.*?width:([\d.]+)%", re.S)
_MARK = re.compile(r"mark-(\d{5})")
_RESET = struct.pack("ii", 1, 0)  # of SO_LINGER: close with a reset


@dataclass
class Tally:
    """The results of a crowd."""

    ways: Counter[str] = field(default_factory=Counter)
    answers: int = 0  # answers that were compared with the classifier's own
    wrong: list[str] = field(default_factory=list)  # sentences
    failed: list[str] = field(default_factory=list)
    waited: int = 0  # requests for the waiting page
    silent: list[Any] = field(default_factory=list)  # connections that are left open


class Stranger(light.Kezako):
    """One visitor of the crowd, with a unique mark."""

    def __init__(self, address: str, number: int):
        super().__init__(address, waits=True)
        self.mark = f"mark-{number:05d}"
        self.foreign: set[str] = set()  # marks of other visitors that were seen

    async def hears(self) -> dict[str, Any]:
        message = await super().hears()
        seen = {found[0] for found in _MARK.finditer(str(message["content"]))}
        self.foreign |= seen - {self.mark}
        return message

    async def checks(self, picture: Picture) -> str:
        """Classify a picture; returns what is wrong with the answer, or ""."""
        await self.classifies(f"{self.mark}.jpg", picture.content)
        bars = self.states[self.find("HTMLModel", has_class="kezako-bars")]["value"]
        return complaint(bars, picture.probabilities)

    async def starts(self, picture: Picture) -> None:
        """Choose a picture without waiting for the answer."""
        await self.uploads(f"{self.mark}.jpg", picture.content)

    def is_cut_off(self) -> None:
        """Reset the connection, without a close frame."""
        stream = self._stream()
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        stream.close()

    def falls_silent(self) -> Any:
        """Stop reading and writing; returns the connection, which must be kept."""
        stream = self._stream()
        IOLoop.current().remove_handler(stream.socket)
        stream._add_io_state = lambda state: None  # so that it never starts to listen again
        return stream

    def _stream(self) -> Any:
        assert self._socket is not None
        return self._socket.protocol.stream


def complaint(bars: str, expected: Mapping[str, float]) -> str:
    """What is wrong with the bars of a page, or ""."""
    shown = {html.unescape(label): float(width) / 100 for label, width in _BAR.findall(bars)}
    if set(shown) != set(expected):
        return f"the bars show {sorted(shown)}"
    worst = max(abs(shown[label] - expected[label]) for label in shown)
    return f"the bars are off by {worst:.3f}: {shown}" if worst > TOLERANCE else ""


async def crowd(
    address: str,
    pictures: Sequence[Picture],
    visitors: int,
    at_once: int,
    ways: Mapping[str, int] = WAYS,
    seed: int = 5,
    patience: float = light.PATIENCE,  # timeout of one visit, in seconds
) -> Tally:
    """Run so many visits, at most `at_once` of them at the same time."""
    tally, room, random = Tally(), asyncio.Semaphore(at_once), Random(seed)
    plan = random.choices(list(ways), list(ways.values()), k=visitors)

    async def come(number: int, way: str) -> None:
        async with room:
            stranger = Stranger(address, number)
            shown = [pictures[(number + turn) % len(pictures)] for turn in range(1 + number % 2)]
            try:
                await asyncio.wait_for(_visit(stranger, way, shown, tally), patience)
                tally.ways[way] += 1
            except Exception as error:
                reason = f"{type(error).__name__} {error}".strip()[:300]
                tally.failed.append(f"{stranger.mark}, who was to {way}: {reason}")
            tally.waited += stranger.waited
            if stranger.foreign:
                tally.wrong.append(f"{stranger.mark} saw {sorted(stranger.foreign)}")

    await asyncio.gather(*(come(number, way) for number, way in enumerate(plan)))
    return tally


async def _visit(stranger: Stranger, way: str, shown: list[Picture], tally: Tally) -> None:
    await stranger.opens()
    if way == "never open the websocket":
        return
    await stranger.connects()
    for picture in shown:
        wrong = await stranger.checks(picture)
        tally.answers += 1
        if wrong:
            tally.wrong.append(f"{stranger.mark}: {wrong}")
    if way == "close the tab":
        await light.leave("kezako", stranger.address, stranger)
    elif way == "lose the network":
        stranger.is_cut_off()
    elif way == "fall silent":
        tally.silent.append(stranger.falls_silent())
    else:
        await stranger.starts(shown[-1])
        stranger.is_cut_off()


@dataclass(frozen=True)
class Rest:
    """What an idle server without visitors holds."""

    kernels: int  # of visitors
    held: tree.Held


async def rest(
    server: Server,
    patience: float,  # seconds until the last kernel must be gone
    calm: float = 0,  # additional seconds in which a server may return memory
) -> Rest:
    """Wait until all visitors' kernels have ended and the server is idle; returns what it holds."""
    end = time.monotonic() + patience
    while (kernels := await _gauge(server, "kezako_kernels")) and time.monotonic() < end:
        await asyncio.sleep(0.5)
    await asyncio.sleep(calm)
    await asyncio.to_thread(tree.settle, server.process)
    return Rest(int(kernels), tree.held(server.process))


async def _gauge(server: Server, name: str) -> float:
    told = await AsyncHTTPClient().fetch(server.address + "metrics", request_timeout=60)
    found = re.search(rf"^{name} ([\d.e+]+)$", told.body.decode(), re.M)
    assert found, f"/metrics tells no {name}"
    return float(found[1])
