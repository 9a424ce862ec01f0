"""Plan what many predictions cost, from a few measured figures.

    python benchmarks/plan.py                   # with the figures of docs/scale.md
    python benchmarks/plan.py --core 70 --ray 50 --replica 40 --start 15

It measures nothing: it computes and prints the tables of docs/scale.md.
"""

from __future__ import annotations

import argparse
import math

HOUR = 3600
BUSY = 0.6  # planned load of a core; the rest is for peaks
MACHINES = (1, 2, 4, 8, 16, 32, 64)  # cores


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--core", type=float, default=62, help="pictures a second a core, predict")
    parser.add_argument("--ray", type=float, default=52, help="the same of scale batch")
    parser.add_argument("--replica", type=float, default=33, help="requests a second a replica")
    parser.add_argument("--picture", type=float, default=200, help="KB of a picture")
    parser.add_argument("--price", type=float, default=0.045, help="of a core for an hour")
    parser.add_argument("--start", type=float, default=18, help="seconds until Ray works")
    given = parser.parse_args()
    print("| predictions a second | replicas | machines | Mbit/s in | a month |")
    print("|---|---|---|---|---|")
    for rate in (1, 10, 1000):
        print(row(visitors(rate, given)))
    print("\n| pictures | where | cores | hours | core-hours | GB read | cost |")
    print("|---|---|---|---|---|---|---|")
    for count, cores in ((10**6, 2), (10**6, 64), (10**8, 64), (10**8, 1024)):
        print(row(pictures(count, cores, given)))


def visitors(rate: float, given: argparse.Namespace) -> list[str]:
    """A row for so many requests per second, all the time."""
    replicas = math.ceil(rate / (BUSY * given.replica))
    machine = next((cores for cores in MACHINES if cores >= replicas), MACHINES[-1])
    number = math.ceil(replicas / machine)
    price = number * machine * given.price * 24 * 30
    return [f"{rate:,}", f"{replicas}", f"{number} × {machine} core{'s' * (machine > 1)}",
            f"{rate * given.picture * 8 / 1000:,.1f}", f"{price:,.0f}"]  # fmt: skip


def pictures(count: int, cores: int, given: argparse.Namespace) -> list[str]:
    """A row for so many pictures, once."""
    alone = cores <= 2
    seconds = count / (cores * (given.core if alone else given.ray)) + (0 if alone else given.start)
    hours = seconds / HOUR
    read = count * given.picture / 1e6
    return [f"{count:,}", "`kezako predict`" if alone else "`kezako scale batch`", f"{cores:,}",
            f"{hours:,.1f}", f"{hours * cores:,.0f}", f"{read:,.0f}",
            f"{hours * cores * given.price:,.2f}"]  # fmt: skip


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
