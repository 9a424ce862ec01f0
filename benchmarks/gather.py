"""Pictures gathered per second by Kezako, fastai and jmd_imagescraper.

    python benchmarks/gather.py                       # 450 pictures, 100 ms away, 10 % failures
    python benchmarks/gather.py --urls 5000 --only ours    # peak memory at many addresses

All three get the same URLs, spread over sixteen loopback servers as search results are over
hosts, and run one after the other. Kezako does more in that time: it decodes, turns, shrinks,
hashes and records every picture. jmd_imagescraper runs in its own environment, which is made on
the first run (`--jmd` names another one).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402

HOSTS = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--urls", type=int, default=450)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds before each answer")
    parser.add_argument("--failures", type=float, default=0.1, help="share of the addresses")
    parser.add_argument("--only", choices=tuple(RUNNERS), action="append")
    parser.add_argument("--jmd", type=Path, default=ROOT / "build" / "jmd", help="its environment")
    record.add_option(parser)
    parser.add_argument("--run", choices=("server", *RUNNERS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        request = json.loads(sys.stdin.readline())
        (serve if given.run == "server" else RUNNERS[given.run])(**request)
        return
    report(given)


def report(given: argparse.Namespace) -> None:
    """Run each in a subprocess and print a table."""
    found: dict[str, dict[str, float]] = {}
    names = given.only or list(RUNNERS)
    for name in names:
        python = _jmd_python(given.jmd) if name == "jmd_imagescraper" else sys.executable
        with _servers(given) as urls, tempfile.TemporaryDirectory() as folder:
            found[name] = _child(python, name, {"urls": urls, "folder": folder})
            found[name]["urls"] = len(urls)
    print(f"{given.urls} addresses, {given.latency * 1000:.0f} ms away, {given.failures:.0%} fail")
    head = ("", "seconds", "good", "good/s", "accounted", "lost silently", "junk kept", "peak MB")
    print("".join(f"{word:>17}" for word in head))
    for name, row in found.items():
        lost = row["urls"] - row["good"] - row["junk"] - row["reasons"]
        speed = row["good"] / row["seconds"]
        cells = (row["seconds"], row["good"], speed, row["reasons"], lost, row["junk"], row["peak"])
        print(f"{name:>17}" + "".join(f"{cell:17.1f}" for cell in cells))
        row |= {"good/s": speed, "lost silently": lost}
    record.keep(given.results, f"{given.urls} addresses", found)
    _print_ratios(found)


def _print_ratios(found: dict[str, dict[str, float]]) -> None:
    speed = {name: row["good"] / row["seconds"] for name, row in found.items()}
    for peer, held in (("fastai", 2), ("jmd_imagescraper", 10)):
        if "ours" in speed and peer in speed:
            print(f"ours / {peer}: {speed['ours'] / speed[peer]:.1f} (held to {held})")


def ours(urls: list[str], folder: str) -> None:
    """`gather` with a source that lists the URLs, with all features on."""
    os.environ["KEZAKO_ALLOW_PRIVATE"] = "1"
    from kezako.dataset.manifest import Manifest
    from kezako.gather import gather, web  # noqa: F401 - imported before the clock starts
    from kezako.gather.settings import Settings
    from kezako.gather.sources import Found, register
    from kezako.recipe import Recipe
    from kezako.workspace import Workspace

    @register("listed")
    class Listed:
        name = "listed"
        cannot_filter = ()

        def __init__(self, settings: Settings):
            pass

        def search(self, query: str, limit: int) -> Iterator[Found]:
            return (Found(url) for url in urls)

    recipe = Recipe("bench", {"all": ("all",)}, pictures_per_class=len(urls))
    workspace = Workspace(Path(folder))
    started = time.perf_counter()
    try:
        gather(recipe, workspace, ["listed"])
    finally:
        seconds = time.perf_counter() - started
    with Manifest(workspace.folder("bench")) as manifest:
        statuses = Counter(row.status for row in manifest.rows())
    good = statuses.pop("kept", 0)
    assert not statuses["pending"], "an address was not tried"
    _tell(seconds, good=good, junk=0, reasons=sum(statuses.values()))


def fastai(urls: list[str], folder: str) -> None:
    """`download_images`, as in the course; broken files are counted after the time is taken."""
    from fastai.vision.utils import download_images, verify_images

    started = time.perf_counter()
    download_images(Path(folder) / "all", urls=urls, max_pics=len(urls))
    seconds = time.perf_counter() - started
    files = list((Path(folder) / "all").iterdir())
    junk = len(verify_images(files))
    _tell(seconds, good=len(files) - junk, junk=junk, reasons=0)


def jmd_imagescraper(urls: list[str], folder: str) -> None:
    """`download_urls`; it prints URLs that failed but does not return them."""
    from contextlib import redirect_stdout

    from jmd_imagescraper.core import download_urls

    started = time.perf_counter()
    with redirect_stdout(sys.stderr):
        files = download_urls(Path(folder) / "all", urls)
    _tell(time.perf_counter() - started, good=len(files), junk=0, reasons=0)


RUNNERS = {"ours": ours, "fastai": fastai, "jmd_imagescraper": jmd_imagescraper}


def _tell(seconds: float, **counts: int) -> None:
    import resource

    unit = 2**10 if sys.platform == "linux" else 2**20
    own, children = (
        resource.getrusage(who).ru_maxrss / unit
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(json.dumps({"seconds": seconds, "peak": own, "peak_child": children, **counts}))


def _child(python: str | Path, name: str, request: dict[str, object]) -> dict[str, float]:
    done = subprocess.run(
        [python, __file__, "--run", name],
        input=json.dumps(request),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def _servers(given: argparse.Namespace) -> Iterator[list[str]]:
    """The URLs of pictures, served by another process, so that it takes no time from the peers."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--run", "server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        request = {"count": given.urls, "latency": given.latency, "failures": given.failures}
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait(30)


def serve(count: int, latency: float, failures: float) -> None:
    from tests.standin import Standin
    from tests.standin.server import shared_photos

    photos = shared_photos()
    hosts = [
        Standin(photos if count <= 450 else None, latency, failures, drawn=count).start()
        for _ in range(HOSTS)
    ]
    query = "teddy bear"  # there are 450 photos of these
    lists = [host.urls(query, count, direct=True) for host in hosts]
    print(json.dumps([lists[number % HOSTS][number] for number in range(count)]), flush=True)
    sys.stdin.read()  # until killed


def _jmd_python(folder: Path) -> Path:
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        print(f"Installing jmd_imagescraper in {folder} (about a minute).", file=sys.stderr)
        venv.create(folder, with_pip=True)
        # fastprogress 1.1 has removed what it imports.
        packages = ["jmd_imagescraper==1.0.2", "fastprogress<1.1", "ipython", "setuptools"]
        try:
            subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        except BaseException:
            shutil.rmtree(folder)
            raise
    return python


if __name__ == "__main__":
    main()
