"""How well "Why?" agrees with hiding parts of the picture itself, and what it costs.

    python benchmarks/why.py                                # the bears that ship
    python benchmarks/why.py --photos 4 --places 6          # short

The slow way hides parts of the picture itself: a grey square slides over the model's input, and
the whole model runs for each position (Zeiler and Fergus, ECCV 2014). How far the answer falls at
each position is compared with the page's heat there, before it is clipped at 0, by Spearman's rank
correlation: 1 is the same order, 0 is chance. For comparison, it also prints:

- the slow way against itself, with a square a quarter smaller: an upper bound;
- our way with other replacements for a hidden part, and with other sizes of a part;
- a baseline that takes the middle of each picture, without looking.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image
from scipy.stats import spearmanr

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402
from kezako.dataset.manifest import Manifest  # noqa: E402
from kezako.gather.sample import CLASSES, draw_face  # noqa: E402
from kezako.model import explanation  # noqa: E402
from kezako.model.classifier import Classifier, Floats, Scores  # noqa: E402
from kezako.workspace import Workspace  # noqa: E402

PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos")) / "bears"
SQUARE = 1 / 3  # of the picture's side
SMALLER = 1 / 4
OURS = "as the page does"
HELD = 1.0  # cost of one "why", in classifications


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=ROOT / "models" / "bears")
    parser.add_argument("--photos", type=int, default=20, help="pictures that are asked about")
    parser.add_argument("--places", type=int, default=12, help="of the grey square, a side")
    parser.add_argument("--rounds", type=int, default=50, help="of the timing")
    record.add_option(parser)
    given = parser.parse_args()
    classifier = Classifier.open(given.bundle, threads=1)
    with tempfile.TemporaryDirectory() as folder:
        paths = pictures(classifier.card.name, given.photos, Path(folder))
        alike = report([agreement(classifier, path, given.places) for path in paths])
        took = cost(classifier, paths[0], given.rounds)
    record.keep(given.results, "why", {"pictures": len(paths), "alike": alike, **took})


def pictures(name: str, count: int, folder: Path) -> list[Path]:
    """Validation pictures of classifier `name`; if there are none, photos or drawn faces."""
    data = Workspace.find().folder(name)
    found: list[Path] = []
    if (data / "manifest.db").is_file():
        with Manifest(data) as manifest:
            found = [data / str(row.file) for row in manifest.kept() if row.split == "valid"]
    found = sorted(found) or sorted(PHOTOS.glob("*/*.jpg"))
    if not found:
        found = [folder / f"{mood}-{n}.png" for mood in CLASSES for n in range(-(-count // 3))]
        for path in found:
            mood, number = path.stem.split("-")
            draw_face(mood, int(number)).save(path)
    return found[:: max(1, len(found) // count)][:count]


def agreement(classifier: Classifier, path: Path, places: int) -> dict[str, float]:
    """Rank correlation of each way with the grey squares, for one picture."""
    picture = classifier.prepare(path)
    scores = classifier.run(picture[None])
    name = next(iter(classifier.answer(scores).probabilities))
    label = classifier.card.labels.index(name)
    truth = squares(classifier, picture, label, places, SQUARE)
    found = {way: stretched(falls, places) for way, falls in ways(classifier, scores, label)}
    found["the slow way, square 1/4 of the side"] = squares(
        classifier, picture, label, places, SMALLER
    )
    found["the middle counts, unlooked"] = -np.hypot(
        *(np.mgrid[:places, :places] - (places - 1) / 2)
    )
    alike = {way: float(spearmanr(falls.ravel(), truth.ravel())[0]) for way, falls in found.items()}
    print(f"  {alike[OURS]:5.2f}  {name}, {path.parent.name}/{path.name}", flush=True)
    return alike


def squares(
    classifier: Classifier,
    picture: Floats,  # (3, S, S), as `prepare` gives it
    label: int,
    places: int,
    share: float,  # side of the square, as a share of the picture's
) -> Floats:
    """How far the log-odds fall with a grey square at each position: (places, places)."""
    multi = classifier.card.task == "multi"
    side = picture.shape[-1]
    middles = (np.arange(places) + 0.5) * side / places
    half = side * share / 2
    falls = []
    for y in middles:
        row = np.repeat(picture[None], places, axis=0)
        for hidden, x in zip(row, middles, strict=True):
            top, left = (max(0, round(middle - half)) for middle in (y, x))
            hidden[:, top : round(y + half), left : round(x + half)] = 0  # the mean colour
        falls.append(-explanation.log_odds(classifier.run(row).logits, label, multi))
    whole = explanation.log_odds(classifier.run(picture[None]).logits, label, multi)
    return np.asarray(falls + whole, dtype=np.float32)


def ways(classifier: Classifier, scores: Scores, label: int) -> Iterator[tuple[str, Floats]]:
    """Our way and alternatives to it: name and falls (r, c)."""
    head, multi = classifier.head, classifier.card.task == "multi"
    if head is None or scores.map is None:
        raise SystemExit("This bundle cannot tell why: train it again with: kezako train NAME")
    cells = scores.map[0]
    mean = np.broadcast_to(cells.mean(axis=(1, 2), keepdims=True), cells.shape)
    hidden_by = {
        OURS: head.grey,
        "hidden by zeros": np.zeros_like(cells),
        "hidden by the map's own mean": mean,
    }
    for way, grey in hidden_by.items():
        yield way, explanation.falls(cells, grey, head.logits, label, multi)
    for reach in (0.4, 1.6):
        with patch.object(explanation, "REACH", reach):
            falls = explanation.falls(cells, head.grey, head.logits, label, multi)
        yield f"parts {reach / explanation.REACH:g} times as wide", falls


def stretched(falls: Floats, places: int) -> Floats:
    """Stretched as over the picture on the page: (places, places)."""
    image = Image.fromarray(falls).resize((places, places), Image.Resampling.BICUBIC)
    return np.asarray(image)


def report(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean rank correlation by way."""
    print(f"\nMean rank correlation with a grey square (1/3 of the side), {len(found)} pictures:")
    for way in found[0]:
        values = [alike[way] for alike in found]
        spread = f"{min(values):5.2f} to {max(values):.2f}"
        print(f"  {statistics.mean(values):5.2f}  ({spread})  {way}")
    return {way: statistics.mean(alike[way] for alike in found) for way in found[0]}


def cost(classifier: Classifier, path: Path, rounds: int) -> dict[str, float]:
    """Time of one "why" and of one run of the model alone, taking turns."""
    batch = classifier.prepare(path)[None]
    scores = classifier.run(batch)
    label = next(iter(classifier.answer(scores).probabilities))
    classifier.why(scores, label)  # computes the map of plain grey, once
    turns = [(timed(lambda: classifier.run(batch)), timed(lambda: classifier.why(scores, label)))
             for _ in range(rounds)]  # fmt: skip
    run, reason = (1000 * statistics.median(times) for times in zip(*turns, strict=True))
    held = "held" if reason / run < HELD else "NOT HELD"
    print(
        f"\nOne thread, medians of {rounds}: one classification ({classifier.card.precision}) "
        f"{run:.1f} ms, one why {reason:.1f} ms: {reason / run:.2f} times (below {HELD:g}: {held})."
    )
    return {"classification ms": run, "why ms": reason}


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
