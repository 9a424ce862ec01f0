"""The parts of `serve.py`: each measures all peers in one way, and returns a row per peer."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from benchmarks.serving import chromium, light, tree
from benchmarks.serving.peers import GRADIO, PEERS, ROOT, Missing, Server
from benchmarks.serving.pictures import photos
from benchmarks.serving.tree import MIB

Row = dict[str, float]  # column with unit -> value
Table = dict[str, Row]  # peer -> row

CROWDS = (1, 10, 20)  # numbers of visitors for which memory is measured
BURST = 20  # visitors at the same moment
LIMIT = 512 * MIB
MOST = 60  # visitors to try within the limit
# Memory of a visitor of the stock page; no more are tried than fit on this machine.
STOCK = 700 * MIB


def page(names: Sequence[str], rounds: int) -> Table:
    """A fresh visitor in Chromium, and the answer to a photo"""
    return _visits(names, rounds, None)


def link(names: Sequence[str], rounds: int) -> Table:
    """The same over 1.6 Mbit/s, 150 ms away"""
    return _visits(names, rounds, chromium.Link())


def _visits(names: Sequence[str], rounds: int, between: chromium.Link | None) -> Table:
    """Medians; the peers take turns, each time with a fresh server that has had one visitor."""
    photo = next(photos())
    seen: dict[str, list[Row]] = {name: [] for name in names}
    with chromium.chromium() as browser:
        for _ in range(rounds):
            for name in names:
                with _at_rest(name) as server:
                    if server is None:
                        continue
                    chromium.visit(browser, name, server.address)
                    tree.settle(server.process)
                    visited = chromium.visit(browser, name, server.address, photo, between)
                    seen[name].append(visited)
    return {
        name: {column: statistics.median(visit[column] for visit in visits) for column in visits[0]}
        for name, visits in seen.items()
        if visits
    }


def memory(names: Sequence[str], _: int) -> Table:
    """MB of the server for visitors who stay, after two classifications each"""
    rows: Table = {}
    for name in names:
        with _at_rest(name) as server:
            if server is not None:
                rows[name] = asyncio.run(_memory(name, server))
    return rows


async def _memory(name: str, server: Server) -> Row:
    """Unique: memory of this server only; in all: including its share of shared memory."""
    photo = next(photos())
    visitors: list[light.Light] = []
    unique: dict[int, float] = {}
    whole: dict[int, float] = {}
    for crowd in CROWDS:
        if not _is_room(name, crowd - len(visitors)):
            break
        while len(visitors) < crowd:
            visitors.append(await light.come(name, server.address))
        for _ in range(2):
            answered = await light.all_classify(visitors, photo)
            if answered < crowd:
                raise SystemExit(f"{name} answered {answered} of {crowd} visitors.")
        await asyncio.to_thread(tree.settle, server.process)
        held = tree.held(server.process)
        unique[crowd], whole[crowd] = held.unique / MIB, held.share / MIB
    row = {f"{crowd} unique": value for crowd, value in unique.items()}
    row |= {f"{crowd} in all": value for crowd, value in whole.items()}
    most = max(unique, default=1)
    if most > 1:
        row["each further, unique"] = (unique[most] - unique[1]) / (most - 1)
        row["each further, in all"] = (whole[most] - whole[1]) / (most - 1)
    return row


def limit(names: Sequence[str], _: int) -> Table:
    """Visitors at once in 512 MB"""
    # Files that are in the page cache already would not be charged to the server.
    tree.forget([Path(sys.prefix), GRADIO, ROOT / "models"])
    rows: Table = {}
    for name in names:
        if name == "preheated":
            continue  # the stock page with another kernel
        try:
            rows[name] = _limit(name)
        except tree.NoLimit as error:
            print(f"Visitors in 512 MB: not measured. {error}")
            break
    return rows


def _limit(name: str) -> Row:
    row = dict.fromkeys(("came in", "answered", "charged MB", "files MB", "mapped MB"), 0.0)
    with tree.limited(LIMIT) as group:
        try:
            with PEERS[name](group.prefix) as server:
                came, answered, why = asyncio.run(_fill(name, server, group))
                print(f"{name} in 512 MB: {came} came in, then {why}")
                row |= {"came in": came, "answered": answered}
                row |= {"charged MB": group.used / MIB, "files MB": group.cache / MIB}
                row["mapped MB"] = tree.held(server.process).share / MIB
        except Missing as error:
            print(error, file=sys.stderr)
        return row | {"killed": group.killed}


async def _fill(name: str, server: Server, group: tree.Group) -> tuple[int, int, str]:
    """How many visitors were admitted one after the other, how many of them were answered at the
    end, and why no more were admitted."""
    photo, visitors = next(photos()), []
    for _ in range(MOST):
        try:
            visitors.append(await _come_or_see_it_die(name, server, group))
            await visitors[-1].classifies("photo.jpg", photo)
        except light.Turned as error:
            why = f"a polite page, which says: {error}"
            break
        except Exception as error:
            why = f"{type(error).__name__} {error}".strip()[:200]
            break
    else:
        why = f"no more than {MOST} were tried"
    return len(visitors), await light.all_classify(visitors, photo), why


async def _come_or_see_it_die(name: str, server: Server, group: tree.Group) -> light.Light:
    """A visitor. Raises `MemoryError` if the limit has killed a process: the server may hang."""
    before = group.killed
    coming = asyncio.ensure_future(light.come(name, server.address))
    while not coming.done():
        await asyncio.wait([coming], timeout=0.5)
        if group.killed > before and not coming.done():
            raise MemoryError("the limit ended a process")
    return coming.result()


def burst(names: Sequence[str], _: int) -> Table:
    """Twenty visitors in one moment"""
    rows: Table = {}
    for name in names:
        if _is_room(name, BURST):
            with _at_rest(name) as server:
                if server is not None:
                    rows[name] = asyncio.run(_burst(name, server))
    return rows


async def _burst(name: str, server: Server) -> Row:
    photo = next(photos())
    started = time.perf_counter()
    coming = [light.come(name, server.address) for _ in range(BURST)]
    came = await asyncio.gather(*coming, return_exceptions=True)
    ready = time.perf_counter() - started
    visitors = [visitor for visitor in came if not isinstance(visitor, BaseException)]
    started = time.perf_counter()
    answered = await light.all_classify(visitors, photo, at_once=BURST)
    return {
        "came in": len(visitors),
        "last ready s": ready,
        "answered": answered,
        "last answer s": time.perf_counter() - started,
    }


PARTS: dict[str, Callable[[Sequence[str], int], Table]] = {
    part.__name__: part for part in (page, link, memory, limit, burst)
}


@contextmanager
def _at_rest(name: str) -> Iterator[Server | None]:
    """A peer that has started and is idle; None, with a message, if it cannot start."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(PEERS[name]())
        except Missing as error:
            print(error, file=sys.stderr)
            yield None
            return
        tree.settle(server.process)
        yield server


def _is_room(name: str, visitors: int) -> bool:
    if name not in ("stock", "preheated"):
        return True
    if psutil.virtual_memory().available > visitors * STOCK:
        return True
    print(f"{name}: this machine has no memory for {visitors} more visitors.", file=sys.stderr)
    return False
