"""Five hundred visitors come, classify and leave, twice: does the server leak anything?

    python benchmarks/crowd.py                     # 500, at most 16 active in one moment
    python benchmarks/crowd.py --visitors 5000 --at-once 40

They close the tab, lose the network, fall silent, never open the websocket, or leave while their
photo is classified. Each sends one or two of several pictures whose answers differ, with a unique
name, and compares the bars with the classifier's own answer for that picture. The exit status is 1
if an answer was wrong or another visitor's, if somebody was not served, or if the server kept
anything.

Memory is compared after each of two equal crowds. After the first, the allocator keeps what the
busiest moment needed (a hundred visitors, most of them silent or crawlers); a leak would add the
same amount again after the second.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402
from benchmarks.serving import light, strangers  # noqa: E402
from benchmarks.serving.peers import BUNDLE, Server, kezako  # noqa: E402
from benchmarks.serving.pictures import Picture, photos, told_apart  # noqa: E402
from benchmarks.serving.tree import MIB  # noqa: E402
from kezako.model.classifier import Classifier  # noqa: E402

PICTURES = 16
PATIENCE = 300  # seconds until the last kernel must be gone; a silent visitor is noticed after 60
CALM = 15  # additional seconds: the server returns freed memory every ten
KEPT = 8  # MB that the server may keep: the allocator's, not the visitors'
FILES = 8  # file descriptors that it may keep: connections that will soon be closed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=16, help="active in one moment")
    record.add_option(parser)
    given = parser.parse_args()
    # So that the server ends with this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    light.prepare()
    pictures = told_apart(Classifier.open(BUNDLE), photos(), PICTURES)
    with kezako() as server:
        troubles = asyncio.run(_measure(server, pictures, given))
        for trouble in troubles:
            print(trouble)
        if troubles:
            print(f"The end of its log:\n{server.said()}")
    sys.exit(1 if troubles else 0)


async def _measure(server: Server, pictures: list[Picture], given: argparse.Namespace) -> list[str]:
    """Print measurements before and after; returns what is wrong."""
    visitors, at_once = given.visitors, given.at_once
    figures: dict[str, float] = {"visitors": 0, "answers": 0, "wrong": 0, "not served": 0}
    # The first visitors make the server load what it keeps from then on.
    await strangers.crowd(server.address, pictures, 2 * at_once, at_once, ways={"close the tab": 1})
    rests, troubles = [await strangers.rest(server, PATIENCE, CALM)], []
    for seed in (1, 2):
        started = time.monotonic()
        tally = await strangers.crowd(server.address, pictures, visitors, at_once, seed=seed)
        seconds = time.monotonic() - started
        print(f"{visitors} visitors in {seconds:.0f} s, at most {at_once} active in one moment; "
              f"{tally.waited} looks at the waiting page")  # fmt: skip
        for way, count in tally.ways.items():
            print(f"{count:6} {way}")
        wrong, failed = tally.wrong, tally.failed
        print(f"{tally.answers:6} answers compared, {len(wrong)} wrong or another's (held to 0)")
        print(f"{len(failed):6} were not served (held to 0)", flush=True)
        now = (visitors, tally.answers, len(wrong), len(failed))
        figures = {n: was + more for (n, was), more in zip(figures.items(), now, strict=True)}
        rests.append(await strangers.rest(server, PATIENCE, CALM))
        troubles += [*wrong, *failed]
    held = {f"MB after {n}": rest.held.unique / MIB for n, rest in enumerate(rests)}
    record.keep(given.results, "crowd", {**figures, **held})
    return [*troubles, *compare(*rests)]


def compare(before: strangers.Rest, first: strangers.Rest, second: strangers.Rest) -> list[str]:
    """Print the server's resources; returns what it has kept of its visitors."""
    start, middle, end = ((rest.kernels, rest.held) for rest in (before, first, second))
    rows = [
        (name, *(read(*rest) for rest in (start, middle, end)), since, more)
        for name, read, since, more in (
            ("visitors' kernels", lambda kernels, held: kernels, "start", 0),
            ("processes", lambda kernels, held: held.processes, "start", 0),
            ("file descriptors", lambda kernels, held: held.descriptors, "start", FILES),
            ("memory, MB", lambda kernels, held: held.share / MIB, "first", KEPT),
            ("unique memory, MB", lambda kernels, held: held.unique / MIB, "first", KEPT),
        )
    ]
    print(f"{'':>18}{'start':>9}{'first':>9}{'second':>9}   held to")
    for name, *seen, since, more in rows:
        figures = "".join(f"{value:9.0f}" for value in seen)
        print(f"{name:>18}{figures}   at most {more} more than {since}")
    kept = []
    for name, at_start, after_first, now, since, more in rows:
        was = at_start if since == "start" else after_first
        if now > was + more:
            kept.append(f"{name}: {now:.0f}, was {was:.0f}.")
    return kept


if __name__ == "__main__":
    main()
