"""The stand-in alone, for looking at things by hand and for benchmarks."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from tests.standin.server import Standin, shared_photos


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument("--photos", type=Path, default=shared_photos(), help="folders RECIPE/CLASS")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before an answer")
    parser.add_argument("--failures", type=float, default=0.0, help="share of pictures that fail")
    parser.add_argument("--port", type=int, default=0, help="of the proxy; 0: an unused one")
    given = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    standin = Standin(given.photos, given.latency, given.failures, port=given.port).start()
    for name, value in standin.environment().items():
        print(f"export {name}={value}")
    print(f"# pictures without a proxy, such as {standin.urls('black bear', 1, direct=True)[0]}")
    print("# serving until Ctrl-C or SIGTERM", flush=True)
    stopped.wait()
    standin.stop()


if __name__ == "__main__":
    main()
