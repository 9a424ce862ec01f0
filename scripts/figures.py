"""Write README's table of figures from benchmarks/results.

python scripts/figures.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402

PAGE = ROOT / "README.md"
BEGIN, END = "<!-- figures: scripts/figures.py writes them -->\n", "<!-- end of figures -->\n"
Figures = dict[str, Any]  # the figures of one part
Words = Callable[[Figures], str]


@dataclass(frozen=True)
class Row:
    what: str
    script: str
    part: str
    ours: Words
    others: Words = lambda f: ""
    note: str = ""  # after the command


def n(value: float) -> str:
    """Two significant digits, from 100 on three: more would be noise on a shared machine."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def visit(f: Figures, peer: str) -> str:
    row = f[peer]
    size = row["HTTP KB"] + row["websocket KB"]
    weight = f"{n(size / 1000)} MB" if size >= 1000 else f"{n(size)} KB"
    return f"{weight}, {row['requests']:.0f}"


def usable(f: Figures) -> str:
    return (
        f"stock notebook under Voilà {n(f['stock']['usable s'])}, with a kernel made ahead "
        f"{n(f['preheated']['usable s'])}, Gradio {n(f['gradio']['usable s'])}"
    )


def each(f: Figures, peer: str) -> str:
    return f"{f[peer]['each further, unique']:.1f} MB"


def came(f: Figures, peer: str) -> str:
    row = f[peer]
    unanswered = row["came in"] - row["answered"]
    return f"{row['came in']:.0f}" + (f", {unanswered:.0f} unanswered" if unanswered else "")


def burst(f: Figures, *peers: str) -> str:
    return "; ".join(
        f"{PEERS.get(peer, '')}{n(f[peer]['last ready s'])}, {n(f[peer]['last answer s'])}"
        for peer in peers
    )


def interval(value: list[float]) -> str:
    """A share with its 95 % interval."""
    share, low, high = (100 * number for number in value)
    return f"{share:.1f} % ({low:.1f} to {high:.1f})"


def failures(f: Figures, peer: str) -> str:
    row = f[peer]
    return " / ".join(f"{row[name]:.0f}" for name in ("reasons", "lost silently", "junk"))


PEERS = {"stock": "stock ", "gradio": "Gradio "}
STOCK, QUICK, FULL = "stock, fine_tune(4)", 'fit = "quick"', 'fit = "full"'
JMD = "jmd_imagescraper"
OURS_WHY = "as the page does"

ROWS = (
    Row("a fresh visitor in Chromium: seconds until the button works", "serve", "page",
        lambda f: n(f["kezako"]["usable s"]), usable),
    Row("the same over 1.6 Mbit/s, 150 ms away", "serve", "link",
        lambda f: n(f["kezako"]["usable s"]), usable),
    Row("seconds until the first words are seen", "serve", "page",
        lambda f: n(f["kezako"]["painted s"]),
        lambda f: f"stock {n(f['stock']['painted s'])}, Gradio {n(f['gradio']['painted s'])}"),
    Row("first visit: bytes, requests", "serve", "page",
        lambda f: visit(f, "kezako"),
        lambda f: f"stock {visit(f, 'stock')}; Gradio {visit(f, 'gradio')}"),
    Row("memory of the server for each further visitor", "serve", "memory",
        lambda f: each(f, "kezako"),
        lambda f: f"stock {each(f, 'stock')}; Gradio {each(f, 'gradio')}"),
    Row("visitors at once in 512 MB, each answered", "serve", "limit",
        lambda f: came(f, "kezako"),
        lambda f: f"stock {came(f, 'stock')}; Gradio {came(f, 'gradio')}", ", as root"),
    Row("20 visitors in one moment: the last one's page, and answer, in seconds", "serve", "burst",
        lambda f: burst(f, "kezako"), lambda f: burst(f, "stock", "gradio")),
    Row("one classification on the page, milliseconds (one thread; from a file's bytes)",
        "predict", "one", lambda f: f"{f['page ms']:.1f}",
        lambda f: f"`learn.predict` {f['learn.predict ms']:.1f} on all cores; ONNX Runtime alone, "
        f"without decoding, {f['bare ms']:.1f}"),
    Row("the API with 4 clients: pictures a second, half and 99 % within, memory", "predict", "api",
        lambda f: f"{n(f['a second'])}, {n(f['half ms'])} and {n(f['99 % ms'])} ms, "
        f"{f['MB at start, middle, end'][-1]:.0f} MB"),
    Row("what a host installs for the page, compressed (Heroku allows 500 MB)", "slug", "slug",
        lambda f: f"{f['compressed MB']:.0f} MB"),
    Row("memory of a 512 MB dyno: before the first visitor; with one and the API",
        "dyno", "memory", lambda f: f"{f['before MB']:.0f}; {f['api MB']:.0f} MB",
        note=", as root"),
    Row("a first model of 1,228 bears at 224 px (`fit = \"quick\"`), both from the starter "
        "weights, not ImageNet's: seconds, validation error", "train", "bears",
        lambda f: f"{n(f[QUICK]['seconds'])} s, {percent(f[QUICK]['error'])}",
        lambda f: f"stock `fine_tune(4)` {n(f[STOCK]['seconds'])} s, "
        f"{percent(f[STOCK]['error'])}"),
    Row("the same, `fit = \"full\"`, from the starter weights too: seconds until stock's error; at "
        "its end", "train", "bears",
        lambda f: f"{n(f[UNTIL])} s; {n(f[FULL]['seconds'])} s, {percent(f[FULL]['error'])}"),
    Row("a folder of 5,000 pictures: classified a second; most memory", "batch", "folder",
        lambda f: f"{n(f['kezako']['a second'])}; {f['kezako']['MB']:.0f} MB",
        lambda f: f"stock fastai's `get_preds` {n(f['stock']['a second'])}; "
        f"{n(f['stock']['MB'])} MB"),
    Row("memory for 1,000 and for 20,000 pictures", "batch", "memory",
        lambda f: f"{f['MB']['1000']:.0f} and {f['MB']['20000']:.0f} MB"),
    Row("usable pictures gathered a second (450 addresses, 100 ms away, 10 % failing)", "gather",
        "450 addresses", lambda f: n(f["ours"]["good/s"]),
        lambda f: f"fastai `download_images` {n(f['fastai']['good/s'])}, {JMD} "
        f"{n(f[JMD]['good/s'])}"),
    Row("of its failures: accounted for / lost silently / kept as junk", "gather", "450 addresses",
        lambda f: failures(f, "ours"),
        lambda f: f"fastai {failures(f, 'fastai')}, {JMD} {failures(f, JMD)}"),
    Row("peak memory, 450 addresses", "gather", "450 addresses",
        lambda f: f"{f['ours']['peak']:.0f} MB", lambda f: f"fastai {f['fastai']['peak']:.0f} MB"),
    Row("the same, 5,000 addresses", "gather", "5000 addresses",
        lambda f: f"{f['ours']['peak']:.0f} MB"),
    Row("wrong labels (8 % of 1,228 bears, flipped) among the first 12 % listed", "clean", "flips",
        lambda f: f"{100 * f['suspects']:.0f} %",
        lambda f: f"fastai's top losses {100 * f['top losses']:.0f} %, random "
        f"{100 * f['random']:.0f} %"),
    Row("calibration error (15 bins) on pictures not seen, with and without the temperature",
        "honest", "honest", lambda f: interval(f["with one"]),
        lambda f: f"{interval(f['without a temperature'])} without"),
    Row("large photos that page, API and `kezako predict` answer alike (label and \"none of "
        "these\"); the most that a probability differs, and on average; sent of each",
        "agreement", "agreement",
        lambda f: f"{min(f['same label'], f['same none'])} of {f['photos']}; "
        f"{f['largest difference']:.3f}, {f['mean difference']:.3f}; "
        f"{n(f['sent KB, median'])} KB"),
    Row("\"Why?\" against hiding parts of the picture (rank correlation), and its cost against one "
        "classification", "why", "why",
        lambda f: f"{f['alike'][OURS_WHY]:.2f}, {f['why ms'] / f['classification ms']:.2f}"),
)  # fmt: skip
UNTIL = "seconds until stock's error"


def table(folder: Path = record.FOLDER) -> str:
    """The table of measurements, as Markdown."""
    head = ["| what | Kezako | others | by |", "|---|---|---|---|"]
    return "\n".join([*head, *_lines(folder)]) + "\n"


def _lines(folder: Path) -> Iterator[str]:
    before = ""
    for row in ROWS:
        part = record.read(row.script, folder)[row.part]
        figures, by = part["figures"], f"`{part['command']}`"
        shown = ("the same" if by == before else by) + row.note
        before = by
        yield f"| {row.what} | {row.ours(figures)} | {row.others(figures)} | {shown} |"


def rendered(page: str, folder: Path = record.FOLDER) -> str:
    """`page` with the table between its two markers."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}{table(folder)}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
