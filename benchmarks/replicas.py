"""Requests per second: `kezako scale serve` on this machine, compared with `kezako serve`.

    python benchmarks/replicas.py                              # 30 seconds each
    python benchmarks/replicas.py --seconds 5 --clients 4      # short

Each server is put under load by another process, that of `benchmarks/predict.py`, with the same
photos. On one machine, Ray Serve costs most and gains least: this measures that cost, and the
throughput of one replica.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402
from benchmarks.batch import PHOTOS, held  # noqa: E402
from benchmarks.ports import unused_port  # noqa: E402

SERVERS = {
    "kezako serve": ["serve", "--no-browser"],
    "kezako scale serve": ["scale", "serve"],
}
STARTING = 300  # seconds that a server may take to start on a busy machine


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="bears", help="a folder in models/")
    parser.add_argument("--photos", type=Path, default=PHOTOS, help="pictures to classify")
    parser.add_argument("--seconds", type=float, default=30, help="of load")
    parser.add_argument("--clients", type=int, default=8, help="at once")
    parser.add_argument("--replicas", type=int, default=os.cpu_count() or 1, help="at least")
    record.add_option(parser)
    arguments = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    print(f"{arguments.clients} clients, {arguments.replicas} replicas\n")
    print(f"  {'':<20}{'a second':>10}{'half, ms':>10}{'99 %, ms':>10}{'failed':>8}{'MB':>8}")
    for server, words in SERVERS.items():
        more = ["--at-least", str(arguments.replicas)] if "scale" in words else []
        with serving([*words, arguments.model, *more]) as (address, process):
            load(arguments, address, seconds=3)  # warm-up: each worker opens the model
            found = load(arguments, address, arguments.seconds)
            memory = held(process.pid) / 2**20
        each = found["answers"] / arguments.seconds
        print(
            f"  {server:<20}{each:10.1f}{found['half']:10.1f}{found['most']:10.1f}"
            f"{found['refused']:8.0f}{memory:8.0f}",
            flush=True,
        )
        figures[server] = {"a second": each, "half ms": found["half"], "99 % ms": found["most"],
                           "failed": found["refused"], "MB": memory}  # fmt: skip
    record.keep(arguments.results, "replicas", figures)


def load(arguments: argparse.Namespace, address: str, seconds: float) -> dict[str, float]:
    """Results of the load generator of `benchmarks/predict.py`."""
    command = [
        sys.executable, str(ROOT / "benchmarks" / "predict.py"), "--load", address,
        f"--seconds={seconds}", f"--clients={arguments.clients}", f"--photos={arguments.photos}",
        f"--model={arguments.model}",
    ]  # fmt: skip
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if told.returncode:
        raise SystemExit(told.returncode)  # it has said why
    found: dict[str, float] = json.loads(told.stdout.splitlines()[-1])
    return found


@contextmanager
def serving(words: list[str]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server of Kezako on a free port, until the block ends."""
    port = unused_port()
    with tempfile.NamedTemporaryFile() as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "kezako", *words, "--port", str(port)],
            cwd=ROOT, env={**os.environ, "KEZAKO_HOME": str(ROOT)}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            end = time.monotonic() + STARTING
            while f":{port}/" not in Path(log.name).read_text(errors="replace"):
                if server.poll() is not None or time.monotonic() > end:
                    sys.exit(f"kezako {' '.join(words)} did not start.")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/", server
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
