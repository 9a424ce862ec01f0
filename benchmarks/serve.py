"""Speed and weight of the page, compared with stock Voilà and Gradio with the same model.

    python benchmarks/serve.py                                   # everything, three rounds
    python benchmarks/serve.py --only kezako --only gradio --rounds 7 --skip memory
    python benchmarks/serve.py --only kezako --part limit        # who fits in 512 MB (as root)

`stock` is the fastai course's notebook in plain Voilà, `preheated` the same with a preheated
kernel, `gradio` an interface with the page's model and preprocessing, in its own environment that
the first run makes, and `kezako` is `kezako serve bears`.

In the parts `page` and `link`, the visitor is a fresh Chromium without access to other machines. In
`memory`, `limit` and `burst`, visitors have no browser, so that only the server is measured: for a
Voilà page, a visitor loads the page, opens the websocket and receives the state of every widget;
for Gradio, it loads page and configuration and keeps the heartbeat open. Both send the same photo
and wait for its answer.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402
from benchmarks.serving import light  # noqa: E402
from benchmarks.serving.measures import PARTS, Table  # noqa: E402
from benchmarks.serving.peers import PEERS  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="visits of each page in Chromium")
    parser.add_argument("--only", choices=tuple(PEERS), action="append", help="these peers")
    parser.add_argument("--part", choices=tuple(PARTS), action="append", help="these parts")
    parser.add_argument("--skip", choices=(*PARTS, *PEERS), action="append", default=[])
    record.add_option(parser)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers end with this process
    light.prepare()
    names = [name for name in given.only or PEERS if name not in given.skip]
    found: dict[str, Table] = {}
    for part in given.part or PARTS:
        if part not in given.skip:
            found[part] = PARTS[part](names, given.rounds)
            _print_table(str(PARTS[part].__doc__), found[part])
            record.keep(given.results, part, found[part])
    _print_ratios(found)
    _print_held({part: rows["kezako"] for part, rows in found.items() if "kezako" in rows})


def _print_table(title: str, rows: Table) -> None:
    columns = dict.fromkeys(column for row in rows.values() for column in row)
    widths = {column: max(12, len(column) + 2) for column in columns}
    print(f"\n{title}")
    print(" " * 12 + "".join(f"{column:>{width}}" for column, width in widths.items()))
    for name, row in rows.items():
        cells = (
            f"{row[column]:{width}.2f}" if column in row else f"{'-':>{width}}"
            for column, width in widths.items()
        )
        print(f"{name:>12}" + "".join(cells), flush=True)


def _print_ratios(found: dict[str, Table]) -> None:
    print()
    for part, held in (("page", {"stock": 15, "gradio": 1}), ("link", {})):
        rows = found.get(part, {})
        for peer in rows if "kezako" in rows else ():
            if peer != "kezako":
                ratio = rows[peer]["usable s"] / rows["kezako"]["usable s"]
                to = f" (held to {held[peer]})" if peer in held else ""
                print(f"{part}, seconds until it can be used, {peer} / kezako: {ratio:.1f}{to}")


def _print_held(ours: Table) -> None:
    if row := ours.get("page"):
        print(f"first visit: {row['HTTP KB'] + row['websocket KB']:.0f} KB (held to 300)")
        print(f"first visit: {row['requests']:.0f} requests (held to 10)")
        print(f"first paint: {row['painted s']:.2f} s (held to 0.3)")
    if "each further, unique" in ours.get("memory", {}):
        each = ours["memory"]["each further, unique"]
        print(f"memory for each further visitor: {each:.1f} MB (held to 16)")
    if row := ours.get("limit"):
        print(f"in 512 MB: {row['came in']:.0f} visitors (held to 20)")
        print(f"in 512 MB: {row['answered']:.0f} of them answered (held to all)")
        print(f"in 512 MB: {row['killed']:.0f} processes killed (held to 0)")
    if row := ours.get("burst"):
        print(f"in one moment: {row['answered']:.0f} of 20 answered (held to all)")


if __name__ == "__main__":
    main()
