"""Real servers, each its own process on an unused port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path

from benchmarks.ports import unused_port

ROOT = Path(__file__).parents[1]
DEADLINE = 120  # seconds that a server or a page may take on a busy machine


def serving(
    arguments: list[str],  # of Python; {port} becomes the port
    home: Path,  # its workspace
    path: str = "voila/static/",  # answers once it is ready
    seconds: float = DEADLINE,  # that it may take for that
    /,
    **settings: str,  # of its environment
) -> Generator[str, None, None]:
    """The address of a server, until the generator is closed."""
    port = unused_port()
    command = [sys.executable, *(part.format(port=port) for part in arguments)]
    environment = {
        **os.environ,
        "KEZAKO_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(ROOT / "etc" / "jupyter"),
        **settings,
    }
    log = home / f"{port}.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/{path}", server, log, seconds)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def until(holds: Callable[[], object], what: str = "It did not come true.") -> None:
    """Return as soon as it holds, looking again and again; fail with `what` when it never does."""
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"The server did not start:\n{log.read_text(errors='replace')[-3000:]}")
