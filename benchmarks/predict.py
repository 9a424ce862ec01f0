"""One classification by the page, stock fastai and ONNX Runtime alone; then the API.

    python benchmarks/predict.py                       # both, the API for a minute
    python benchmarks/predict.py --seconds 0           # without the API
    python benchmarks/predict.py --pictures 3 --rounds 1 --seconds 2    # short

The three ways are three processes that take turns with the same picture, so that neither library
threads nor a busy machine favour one. Measured from the bytes of a file to an answer:

- `learn.predict` of stock fastai with `models/NAME/export.pkl`, without its progress bar;
- the page's `Classifier.predict` with `models/NAME/model.onnx`;
- ONNX Runtime alone with that file, on a prepared tensor: without decoding and without an answer.

The last two have one thread, as a visitor's kernel has; stock fastai has all cores.

Then `kezako serve` is put under load by another process: pictures per second, the median and the
99th percentile of response times, and the memory of the server with its processes.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402
from benchmarks.ports import unused_port  # noqa: E402
from voila_snapshot.snapshot import SINGLE_THREADED  # noqa: E402

PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos")) / "bears"
HELD = {"learn.predict": 1 / 4, "bare": 1.3}  # the page may take at most so many times as long
WAYS = {
    "learn.predict": "stock fastai, learn.predict",
    "page": "Kezako, the page's",
    "bare": "ONNX Runtime alone, no decoding",
}
STARTING = 120  # seconds that a server may take to start on a busy machine


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="bears", help="a folder in models/")
    parser.add_argument("--photos", type=Path, default=PHOTOS, help="pictures to classify")
    parser.add_argument("--pictures", type=int, default=40, help="how many of them")
    parser.add_argument("--rounds", type=int, default=5, help="times that each is classified")
    parser.add_argument("--seconds", type=float, default=60, help="of load on the API")
    parser.add_argument("--clients", type=int, default=4, help="of the API, at once")
    parser.add_argument("--side", type=int, help="shrink or grow the pictures to this longest side")
    record.add_option(parser)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)  # a process of this script
    parser.add_argument("--load", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    bundle = ROOT / "models" / arguments.model
    if not (bundle / "model.onnx").is_file():
        sys.exit(f"There is no classifier in {bundle}; train it, or name another with --model.")
    pictures = _pictures(arguments.photos, arguments.pictures, arguments.side)
    if arguments.way:
        answer_on_demand(arguments.way, bundle, pictures)
    elif arguments.load:
        print(json.dumps(asyncio.run(load(arguments, pictures))))
    else:
        compare(arguments, pictures)
        if arguments.seconds:
            try_the_api(arguments)


def compare(arguments: argparse.Namespace, pictures: Sequence[bytes]) -> None:
    """Compare the three ways; each picture is classified by all of them in turn."""
    processes = {way: _Way(way, arguments) for way in WAYS}
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(-1, arguments.rounds):  # the first round is a warm-up and does not count
        for number in range(len(pictures)):
            order = list(processes)
            random.Random(turn * len(pictures) + number).shuffle(order)
            for way in order:
                took = processes[way].ask(number)
                times[way] += [took] if turn >= 0 else []
    for process in processes.values():
        process.close()
    middle = {way: statistics.median(some) for way, some in times.items()}
    print(f"{len(pictures)} pictures, {arguments.rounds} rounds; medians, in milliseconds\n")
    for way, title in WAYS.items():
        ratio = middle["page"] / middle[way]
        print(f"  {title:<36}{middle[way]:8.2f}   ours is {ratio:5.2f} of it{_held(way, ratio)}")
    record.keep(arguments.results, "one", {f"{way} ms": value for way, value in middle.items()})


def _held(way: str, ratio: float) -> str:
    if way not in HELD:
        return ""
    return f"   held to {HELD[way]:.2f}: {'met' if ratio <= HELD[way] else 'MISSED'}"


class _Way:
    """A process that classifies on request."""

    def __init__(self, way: str, arguments: argparse.Namespace):
        self._process = subprocess.Popen(
            [*_this_script(arguments), "--way", way],
            env=os.environ | ({} if way == "learn.predict" else SINGLE_THREADED),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, number: int) -> float:
        """Milliseconds for picture `number`."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        while line := self._process.stdout.readline():
            if line.startswith("took "):
                return float(line.split()[1])
        sys.exit("A process of this benchmark ended; what it said stands above.")

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def answer_on_demand(way: str, bundle: Path, pictures: Sequence[bytes]) -> None:
    """The process of a `_Way`."""
    classify = {"learn.predict": _stock, "page": _page, "bare": _bare}[way](bundle, pictures)
    for line in sys.stdin:
        start = time.perf_counter()
        classify(int(line))
        print(f"took {1000 * (time.perf_counter() - start)}", flush=True)


def _stock(bundle: Path, pictures: Sequence[bytes]) -> Callable[[int], Any]:
    from kezako.train.torchvision_ops import ensure

    ensure()
    from fastai.vision.all import PILImage, load_learner

    learn = load_learner(bundle / "export.pkl")

    def classify(number: int) -> Any:
        with learn.no_bar():
            return learn.predict(PILImage.create(pictures[number]))

    return classify


def _page(bundle: Path, pictures: Sequence[bytes]) -> Callable[[int], Any]:
    from kezako.model.classifier import Classifier

    classifier = Classifier.open(bundle)
    return lambda number: classifier.predict(pictures[number])


def _bare(bundle: Path, pictures: Sequence[bytes]) -> Callable[[int], Any]:
    import onnxruntime as ort

    from kezako.model.bundle import read_card
    from kezako.model.classifier import prepare

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        bundle / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    how = read_card(bundle).preprocessing
    ready = [prepare(picture, how)[None] for picture in pictures]
    return lambda number: session.run(None, {"pictures": ready[number]})


def try_the_api(arguments: argparse.Namespace) -> None:
    """Put the API under load from another process."""
    with _serving(arguments.model) as (address, server):
        _post_once(address, arguments)
        memory = [_memory(server)]
        generator = subprocess.Popen(
            [*_this_script(arguments), "--load", address], stdout=subprocess.PIPE, text=True
        )
        for share in (0.5, 0.45):  # so that the last measurement is during the load
            time.sleep(share * arguments.seconds)
            memory.append(_memory(server))
        told, _ = generator.communicate()
    found = Load(**json.loads(told))
    print(f"\nThe API, {arguments.clients} clients, {arguments.seconds:g} seconds\n")
    print(f"  pictures a second     {found.answers / arguments.seconds:8.1f}")
    print(f"  half within           {found.half:8.1f} ms")
    print(f"  99 % within           {found.most:8.1f} ms")
    print(f"  refused, crossed      {found.refused:8} {found.crossed}")
    megabytes = ", ".join(f"{size / 2**20:.0f}" for size in memory)
    print(f"  memory at start, middle, end: {megabytes} MB")
    figures = {
        "a second": found.answers / arguments.seconds,
        "half ms": found.half, "99 % ms": found.most,
        "refused": found.refused, "crossed": found.crossed,
        "MB at start, middle, end": [size / 2**20 for size in memory],
    }  # fmt: skip
    record.keep(arguments.results, "api", figures)


@dataclass(frozen=True)
class Load:
    """The results of the load generator."""

    answers: int
    refused: int  # responses other than 200
    crossed: int  # answers that differ from the first one to the same picture
    half: float  # ms
    most: float  # ms


async def load(arguments: argparse.Namespace, pictures: Sequence[bytes]) -> dict[str, Any]:
    """Send requests for the given seconds, over the given number of connections."""
    host, port = arguments.load.removeprefix("http://").rstrip("/").split(":")
    end = time.monotonic() + arguments.seconds
    times: list[float] = []
    first: dict[int, object] = {}
    refused = crossed = 0

    async def ask(client: int) -> None:
        nonlocal refused, crossed
        reader, writer = await asyncio.open_connection(host, int(port))
        chosen = random.Random(client)
        while time.monotonic() < end:
            number = chosen.randrange(len(pictures))
            start = time.perf_counter()
            writer.write(_request(pictures[number]))
            status, body = await _response(reader)
            times.append(1000 * (time.perf_counter() - start))
            if status != 200:
                refused += 1
                continue
            probabilities = json.loads(body)["probabilities"]
            crossed += probabilities != first.setdefault(number, probabilities)
        writer.close()

    await asyncio.gather(*(ask(client) for client in range(arguments.clients)))
    times.sort()
    found = Load(
        answers=len(times) - refused, refused=refused, crossed=crossed,
        half=statistics.median(times), most=times[int(0.99 * (len(times) - 1))],
    )  # fmt: skip
    return vars(found)


def _request(picture: bytes) -> bytes:
    head = (
        "POST /api/predict HTTP/1.1\r\nHost: benchmark\r\nContent-Type: image/jpeg\r\n"
        f"Content-Length: {len(picture)}\r\n\r\n"
    )
    return head.encode() + picture


async def _response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
    return int(head.split()[1]), await reader.readexactly(int(fields["content-length"]))


@contextmanager
def _serving(model: str) -> Iterator[tuple[str, psutil.Process]]:
    port = unused_port()
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "kezako", "serve", model, "--no-browser", "--port", str(port)],
            cwd=ROOT, env={**os.environ, "KEZAKO_HOME": str(ROOT)}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz", server)
            yield f"http://127.0.0.1:{port}/", psutil.Process(server.pid)
        finally:
            server.terminate()
            server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTING
    while server.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:  # not listening, or not ready yet
            time.sleep(0.1)
    sys.exit("The server did not start. Try: kezako serve")


def _post_once(address: str, arguments: argparse.Namespace) -> None:
    """The first requests start the worker and load the model."""
    picture = _pictures(arguments.photos, 1, arguments.side)[0]
    request = urllib.request.Request(f"{address}api/predict", picture)
    request.add_header("Content-Type", "image/jpeg")
    for _ in range(20):
        urllib.request.urlopen(request, timeout=60).close()


def _memory(server: psutil.Process) -> int:
    """Memory of the server and its processes in bytes, with shared memory counted once."""
    total = 0
    for process in [server, *server.children(recursive=True)]:
        try:
            info = process.memory_full_info()
        except psutil.Error:  # it has just ended
            continue
        total += getattr(info, "pss", info.uss)
    return total


def _pictures(folder: Path, count: int, side: int | None) -> list[bytes]:
    """The bytes of some pictures, the same in every run."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
    if not paths:
        sys.exit(f"There are no pictures in {folder}; name a folder with --photos.")
    random.Random(0).shuffle(paths)
    contents = [path.read_bytes() for path in paths[:count]]
    return [_resized(content, side) for content in contents] if side else contents


def _resized(content: bytes, side: int) -> bytes:
    from PIL import Image

    image = Image.open(io.BytesIO(content)).convert("RGB")
    factor = side / max(image.size)
    file = io.BytesIO()
    width, height = (max(1, round(length * factor)) for length in image.size)
    image.resize((width, height)).save(file, "JPEG", quality=88)
    return file.getvalue()


def _this_script(arguments: argparse.Namespace) -> list[str]:
    """The command that runs this script again with the same settings."""
    names = ("model", "photos", "pictures", "rounds", "seconds", "clients", "side")
    given = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    return [sys.executable, __file__, *(f"--{name}={value}" for name, value in given.items())]


if __name__ == "__main__":
    main()
