"""A server that can be stopped and started again at the same address."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.ports import unused_port
from tests.limits.guest import ask
from tests.servers import ROOT, until


class Restarting:
    """`kezako serve` on one port; `stop` it before the end."""

    def __init__(self, home: Path, *arguments: str):
        port = str(unused_port())
        self.address = f"http://127.0.0.1:{port}/"
        self._command = [sys.executable, "-m", "kezako", "serve", "--no-browser", "--port", port]
        self._command += arguments
        self._environment = {
            **os.environ, "KEZAKO_HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until its page is ready."""
        with tempfile.TemporaryFile() as log:
            self._server = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        until(self._is_ready, "The page is not ready.")

    def stop(self) -> None:
        """As a host does it: SIGTERM, and visitors are told."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(timeout=30)
            self._server = None

    def _is_ready(self) -> bool:
        assert self._server is not None
        assert self._server.poll() is None, "The server ended."
        try:
            return ask(self.address, "healthz").status == 200
        except OSError:
            return False
