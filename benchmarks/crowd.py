"""Five hundred visitors come, classify and leave; is the server then what it was?

    python benchmarks/crowd.py                     # 500, at most 16 active in one moment
    python benchmarks/crowd.py --visitors 5000 --at-once 40

They close the tab, lose the network, fall silent, never open the websocket, or leave while their
photo is classified. Each sends one or two of several pictures whose answers differ, under a name of
its own, and compares the bars with what the classifier says of that picture. It ends with status 1
if an answer was wrong or another visitor's, if somebody was not served, or if the server kept
anything.
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

from benchmarks.serving import light, strangers  # noqa: E402
from benchmarks.serving.peers import BUNDLE, Server, kezako  # noqa: E402
from benchmarks.serving.pictures import Picture, photos, told_apart  # noqa: E402
from benchmarks.serving.tree import MIB  # noqa: E402
from kezako.classifier import Classifier  # noqa: E402

PICTURES = 16
PATIENCE = 300  # seconds until the last kernel has to be gone; a silent one is noticed after 60
CALM = 15  # seconds more: the server gives freed memory back every ten
KEPT = 8  # MB that the server may have more than before: its allocator's, not its visitors'
FILES = 8  # descriptors, likewise: connections that a moment later are closed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=16, help="active in one moment")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server ends with this
    light.prepare()
    pictures = told_apart(Classifier.open(BUNDLE), photos(), PICTURES)
    with kezako() as server:
        troubles = asyncio.run(_measure(server, pictures, given.visitors, given.at_once))
        for trouble in troubles:
            print(trouble)
        if troubles:
            print(f"The end of its log:\n{server.said()}")
    sys.exit(1 if troubles else 0)


async def _measure(
    server: Server, pictures: list[Picture], visitors: int, at_once: int
) -> list[str]:
    """Print before and after; what is not as it should be."""
    # The first visitors make the server load what it then keeps.
    await strangers.crowd(server.address, pictures, 2 * at_once, at_once, ways={"close the tab": 1})
    before = await strangers.rest(server, PATIENCE, CALM)
    started = time.monotonic()
    tally = await strangers.crowd(server.address, pictures, visitors, at_once)
    seconds = time.monotonic() - started
    after = await strangers.rest(server, PATIENCE, CALM)
    print(f"{visitors} visitors in {seconds:.0f} s, at most {at_once} active in one moment; "
          f"{tally.waited} looks at the waiting page")  # fmt: skip
    for way, count in tally.ways.items():
        print(f"{count:6} {way}")
    print(f"{tally.answers:6} answers compared, {len(tally.wrong)} wrong or another's (held to 0)")
    print(f"{len(tally.failed):6} were not served (held to 0)")
    return [*tally.wrong, *tally.failed, *compare(before, after)]


def compare(before: strangers.Rest, after: strangers.Rest) -> list[str]:
    """Print what the server held; what it has kept."""
    rows = (
        ("visitors' kernels", before.kernels, after.kernels, 0),
        ("processes", before.held.processes, after.held.processes, 0),
        ("file descriptors", before.held.descriptors, after.held.descriptors, FILES),
        ("memory, MB", before.held.share / MIB, after.held.share / MIB, KEPT),
        ("unique memory, MB", before.held.unique / MIB, after.held.unique / MIB, KEPT),
    )
    print(f"{'':>18}{'before':>10}{'after':>10}   held to")
    for name, was, now, more in rows:
        print(f"{name:>18}{was:10.0f}{now:10.0f}   at most {more} more")
    return [
        f"{name}: {now:.0f}, was {was:.0f}." for name, was, now, more in rows if now > was + more
    ]


if __name__ == "__main__":
    main()
