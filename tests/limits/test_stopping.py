"""SIGTERM: visitors are told, kernels end, and the server is gone well before hosts kill it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.limits.guest import Guest, ask
from tests.page.conftest import ROOT
from tests.servers import until


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_goodbye_and_stops(a_small_home: Path, how: signal.Signals) -> None:
    environment = {**os.environ, "KEZAKO_HOME": str(a_small_home), "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [sys.executable, "-m", "kezako", "serve", "--no-browser"],
        cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert server.stdout
    try:
        address = server.stdout.readline().split()[4]
        until(lambda: ask(address, "healthz").status == 200, "The page is not ready.")
        guests = [Guest(address).arrives().connects() for _ in range(3)]
        family = psutil.Process(server.pid).children(recursive=True)
        assert len(family) >= 4, "There are no three kernels beside a snapshot."
        begun = time.monotonic()
        server.send_signal(how)
        assert [guest.is_dismissed() for guest in guests] == [(1001, "The server is stopping.")] * 3
        said, _ = server.communicate(timeout=30)
        assert time.monotonic() - begun < 10, "hosts kill after ten seconds"
        assert server.returncode == 0, said
        assert not [line for line in said.splitlines() if line.startswith("[")], said
        assert said.count("visit:") == 3
        _, alive = psutil.wait_procs(family, timeout=5)
        assert not alive
    finally:
        server.kill()
