"""Pictures classified per second in a folder: Kezako, stock fastai and ONNX Runtime alone.

    python benchmarks/batch.py                          # 5,000 pictures, then memory up to 20,000
    python benchmarks/batch.py --without ray            # what a machine without Ray can run
    python benchmarks/batch.py --pictures 100 --rounds 1 --memory 0    # short

The folder is a temporary one. It is made from the given photos, each saved several times in other
sizes and qualities. The ways take turns on the same folder, each in a new process:

- `get_preds` of stock fastai: `learn.get_preds(dl=learn.dls.test_dl(files))` with
  `models/NAME/export.pkl` and fastai's default number of loader processes;
- a simple loop over ONNX Runtime: Pillow, NumPy, `session.run`;
- `kezako predict NAME FOLDER --csv`;
- `kezako scale batch NAME FOLDER OUT`, which is Ray Data on this one machine.

Two times are measured: of classifying the pictures, and of the whole command including its start.
Memory is the maximum of all processes together, with shared memory counted once.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402

PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos"))
WAYS = {
    "stock": "stock fastai, get_preds",
    "bare": "a loop over ONNX Runtime",
    "kezako": "kezako predict --csv",
    "ray": "kezako scale batch, one machine",
}
HELD = 3.0  # times stock's speed
SIDES = (160, 640)  # pixels of the longest side of the saved pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="bears", help="a folder in models/")
    parser.add_argument("--photos", type=Path, default=PHOTOS, help="what the folder is made of")
    parser.add_argument("--pictures", type=int, default=5000, help="in the folder")
    parser.add_argument("--rounds", type=int, default=3, help="times that each way is asked")
    parser.add_argument("--without", action="append", default=[], choices=WAYS, help="leave it out")
    parser.add_argument(
        "--memory", type=int, default=20_000, help="compare 1,000 pictures with so many; 0: not"
    )
    record.add_option(parser)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)  # a process of this script
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not (ROOT / "models" / arguments.model / "model.onnx").is_file():
        sys.exit(f"There is no classifier models/{arguments.model}; name another with --model.")
    if arguments.way:
        classify(arguments.way, arguments.model, arguments.folder)
        return
    with tempfile.TemporaryDirectory(prefix="kezako-batch-") as temporary:
        folder = Path(temporary)
        made = make(arguments.photos, folder / "pictures", arguments.pictures)
        compare(arguments, made)
        if arguments.memory:
            try_memory(arguments, folder)


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    """Run each way on the whole folder, in an order that changes."""
    ways = [way for way in WAYS if way not in arguments.without]
    found: dict[str, list[Found]] = {way: [] for way in ways}
    for turn in range(arguments.rounds):
        for way in random.Random(turn).sample(ways, len(ways)):
            found[way].append(ran(way, arguments.model, folder))
    print(f"{arguments.pictures} pictures, {arguments.rounds} rounds, {os.cpu_count()} cores\n")
    print(f"  {'':<34}{'a second':>10}{'with start':>12}{'MB':>8}{'of stock':>10}")
    base = rate(found["stock"]) if "stock" in found else 0.0
    figures: dict[str, dict[str, float]] = {}
    for way in ways:
        whole = arguments.pictures / statistics.median(each.whole for each in found[way])
        most = max(each.memory for each in found[way]) / 2**20
        times = f"{rate(found[way]) / base:9.1f}x" if base else ""
        print(f"  {WAYS[way]:<34}{rate(found[way]):10.1f}{whole:12.1f}{most:8.0f}{times}")
        figures[way] = {"a second": rate(found[way]), "with start": whole, "MB": most}
    kept = {"pictures": arguments.pictures, "rounds": arguments.rounds, **figures}
    record.keep(arguments.results, "folder", kept)
    if base and "kezako" in found:
        ratio = rate(found["kezako"]) / base
        print(f"\n  held to {HELD:g} times stock: {'met' if ratio >= HELD else 'MISSED'}")
    agree(found)


def agree(found: dict[str, list[Found]]) -> None:
    """Print on how many pictures the ways give the same class."""
    own = found.get("kezako")
    for way, others in found.items():
        if own and way != "kezako":
            same = sum(own[0].labels[path] == label for path, label in others[0].labels.items())
            print(f"  {WAYS[way]} names the same class on {same} of {len(own[0].labels)}")


def try_memory(arguments: argparse.Namespace, folder: Path) -> None:
    """The maximum memory of `kezako predict`, for few pictures and for many."""
    print("\n  kezako predict, the most memory it held")
    most: dict[str, float] = {}
    for count in sorted({min(1000, arguments.memory), arguments.memory}):
        made = make(arguments.photos, folder / f"{count}", count)
        found = ran("kezako", arguments.model, made)
        print(f"  {count:>8} pictures {found.memory / 2**20:8.0f} MB", flush=True)
        most[str(count)] = found.memory / 2**20
    record.keep(arguments.results, "memory", {"MB": most})


class Found:
    """The output of one process of this script."""

    def __init__(self, told: dict[str, object], whole: float, memory: int):
        self.seconds = float(str(told["seconds"]))  # time of classifying
        self.labels: dict[str, str] = told["labels"]  # type: ignore[assignment]  # by file name
        self.whole = whole  # seconds, from the start of the process to its end
        self.memory = memory  # bytes


def rate(found: Sequence[Found]) -> float:
    """Pictures per second while classifying: the median of the rounds."""
    return statistics.median(len(each.labels) / each.seconds for each in found)


def ran(way: str, model: str, folder: Path) -> Found:
    """Run one way on the folder, in a subprocess."""
    command = [sys.executable, __file__, "--way", way, "--model", model, "--folder", str(folder)]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.DEVNULL)
        most = 0
        while process.poll() is None:
            most = max(most, held(process.pid))
            try:
                process.wait(0.5)
            except subprocess.TimeoutExpired:
                continue
        whole = time.perf_counter() - start
        said.seek(0)
        lines = said.read().splitlines()
    if process.returncode or not lines:
        sys.exit(f"{WAYS[way]} failed; see: {' '.join(command)}")
    return Found(json.loads(lines[-1]), whole, most)


def held(pid: int) -> int:
    """Memory of a process and its children in bytes, with shared memory counted once."""
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0
    for process in processes:
        try:
            info = process.memory_full_info()
        except psutil.Error:  # it has just ended
            continue
        total += getattr(info, "pss", info.uss)
    return total


def classify(way: str, model: str, folder: Path) -> None:
    """In the subprocess: classify the folder, and print labels and seconds."""
    seconds, labels = {"stock": _stock, "bare": _bare, "kezako": _kezako, "ray": _ray}[way](
        model, folder
    )
    print(json.dumps({"seconds": seconds, "labels": labels}))


def _stock(model: str, folder: Path) -> tuple[float, dict[str, str]]:
    from kezako.train.torchvision_ops import ensure

    ensure()
    from fastai.vision.all import get_image_files, load_learner

    learn = load_learner(ROOT / "models" / model / "export.pkl")
    with timed() as clock, learn.no_bar():
        files = get_image_files(folder)
        predicted, _ = learn.get_preds(dl=learn.dls.test_dl(files))
    named = predicted.argmax(dim=1)
    return clock(), {
        file.name: str(learn.dls.vocab[number]) for file, number in zip(files, named, strict=True)
    }


def _bare(model: str, folder: Path) -> tuple[float, dict[str, str]]:
    import numpy as np
    import onnxruntime as ort
    from PIL import Image

    card = json.loads((ROOT / "models" / model / "card.json").read_text())
    how = card["preprocessing"]
    mean, std = np.float32(how["mean"]), np.float32(how["std"])
    session = ort.InferenceSession(ROOT / "models" / model / "model.onnx")
    labels = {}
    with timed() as clock:
        for file in sorted(folder.iterdir()):
            side = how["size"]
            with Image.open(file) as image:
                pixels = np.asarray(image.convert("RGB").resize((side, side)), np.float32)
            batch = ((pixels / 255 - mean) / std).transpose(2, 0, 1)[None]
            logits = session.run(["logits"], {"pictures": batch})[0]
            labels[file.name] = card["labels"][int(logits[0].argmax())]
    return clock(), labels


def _kezako(model: str, folder: Path) -> tuple[float, dict[str, str]]:
    import csv

    from kezako.batch.run import predict
    from kezako.workspace import Workspace

    with tempfile.TemporaryDirectory() as out, timed() as clock:
        sheet = Path(out, "answers.csv")
        predict(Workspace(ROOT), model, [str(folder)], sheet)
        seconds = clock()
        with sheet.open(newline="") as file:
            rows = list(csv.DictReader(file))
    return seconds, {Path(row["path"]).name: best(row) for row in rows}


def _ray(model: str, folder: Path) -> tuple[float, dict[str, str]]:
    import pyarrow.parquet as pq

    from kezako.scale.batch import classify
    from kezako.scale.cluster import connected

    bundle = ROOT / "models" / model
    with connected(None), tempfile.TemporaryDirectory() as out, timed() as clock:
        classify(bundle, str(folder), out)
        seconds = clock()
        rows = pq.read_table(out).to_pylist()
    return seconds, {Path(row["path"]).name: best(row) for row in rows}


def best(row: dict[str, object]) -> str:
    """The most probable class, also if the answer is none of these, which fastai does not have.

    Probabilities are in the columns p_LABEL.
    """
    values = {
        name.removeprefix("p_"): float(str(value))
        for name, value in row.items()
        if name.startswith("p_")
    }
    return max(values, key=values.__getitem__)


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Yields a function that returns the seconds since the block began."""
    start = time.perf_counter()
    yield lambda: time.perf_counter() - start


def make(photos: Path, folder: Path, count: int) -> Path:
    """A folder with so many pictures, the same in every run."""
    from PIL import Image

    paths = sorted(path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
    if not paths:
        sys.exit(f"There are no pictures in {photos}; name a folder with --photos.")
    folder.mkdir(parents=True)
    chosen = random.Random(0)
    for number in range(count):
        with Image.open(paths[number % len(paths)]) as image:
            picture = image.convert("RGB")
        if number >= len(paths):  # the first copy of each keeps its size
            factor = chosen.randint(*SIDES) / max(picture.size)
            picture = picture.resize([max(1, round(side * factor)) for side in picture.size])
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=chosen.randint(70, 95))
        (folder / f"{number:06}.jpg").write_bytes(file.getvalue())
    return folder


if __name__ == "__main__":
    main()
