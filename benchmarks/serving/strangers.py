"""Visitors who come, classify and leave in every way there is, and what becomes of the server."""

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

# What they do, and how many of a hundred.
WAYS = {
    "close the tab": 40,
    "lose the network": 20,  # a router that resets the connection
    "fall silent": 10,  # a phone in a tunnel: nobody tells the server
    "never open the websocket": 15,  # a crawler, or a browser without script
    "leave while it classifies": 15,
}
TOLERANCE = 1e-3  # of a probability; the page shows a bar's width to the thousandth
_BAR = re.compile(r"<span>(.*?)</span>.*?width:([\d.]+)%", re.S)
_MARK = re.compile(r"mark-(\d{5})")
_RESET = struct.pack("ii", 1, 0)  # of SO_LINGER: close with a reset


@dataclass
class Tally:
    """What became of them."""

    ways: Counter[str] = field(default_factory=Counter)
    answers: int = 0  # that were compared with the classifier's own
    wrong: list[str] = field(default_factory=list)  # sentences
    failed: list[str] = field(default_factory=list)
    waited: int = 0  # looks at the waiting page
    silent: list[Any] = field(default_factory=list)  # connections that nobody closes


class Stranger(light.Kezako):
    """One of the crowd, with a mark that no other has."""

    def __init__(self, address: str, number: int):
        super().__init__(address, waits=True)
        self.mark = f"mark-{number:05d}"
        self.foreign: set[str] = set()  # marks of others that were seen

    async def hears(self) -> dict[str, Any]:
        message = await super().hears()
        seen = {found[0] for found in _MARK.finditer(str(message["content"]))}
        self.foreign |= seen - {self.mark}
        return message

    async def checks(self, picture: Picture) -> str:
        """Classify; what is wrong with the answer, or nothing."""
        await self.classifies(f"{self.mark}.jpg", picture.content)
        bars = self.states[self.find("HTMLModel", _dom_classes=["kezako-bars"])]["value"]
        return complaint(bars, picture.probabilities)

    async def starts(self, picture: Picture) -> None:
        """Press Classify, and wait for nothing."""
        await self.uploads(f"{self.mark}.jpg", picture.content)
        await self.presses("Classify")

    def is_cut_off(self) -> None:
        """The connection is reset, without a goodbye."""
        stream = self._stream()
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        stream.close()

    def falls_silent(self) -> Any:
        """Neither read nor write from now on; the connection, to be kept."""
        stream = self._stream()
        IOLoop.current().remove_handler(stream.socket)
        stream._add_io_state = lambda state: None  # nor listen again, whatever it is asked
        return stream

    def _stream(self) -> Any:
        assert self._socket is not None
        return self._socket.protocol.stream


def complaint(bars: str, expected: Mapping[str, float]) -> str:
    """What is wrong with the bars that a page shows, or nothing."""
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
    patience: float = light.PATIENCE,  # seconds for one visit
) -> Tally:
    """So many come, at most `at_once` of them active in one moment."""
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
    """What a server holds that nobody visits."""

    kernels: int  # of visitors
    held: tree.Held


async def rest(
    server: Server,
    patience: float,  # seconds until the last kernel has to be gone
    calm: float = 0,  # more seconds, in which a server may give memory back
) -> Rest:
    """Wait until every visitor's kernel has ended and the server is idle; what it holds then."""
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
