"""The server's end of the worker process: started when first asked, ended when it hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from kezako.serve.api_settings import PREFIX
from kezako.serve.frames import read_answer, write_question

_ROOT = Path(__file__).parents[2]
_PATH = "import sys; sys.path.append(sys.argv.pop(1)); "  # last, so that it shadows no module
_PROGRAM = "from kezako.serve.worker import main; main()"
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096  # bytes


class Died(RuntimeError):
    """The worker ended without an answer."""


class Predictor:
    """One worker; `start` and `ask` block, `kill` and `memory` may be called meanwhile."""

    def __init__(self, models: Path):
        self._models = models
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()  # of _process, so that close() misses no new one
        self._closed = False
        self.starts = 0

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process and process.poll() is None else None

    def start(self) -> None:
        """Return when the worker is ready for a question. Raises `Died`."""
        if self.pid is not None:
            return
        process = self._begin()
        assert process.stdout
        try:
            read_answer(process.stdout)
        except (EOFError, OSError, ValueError) as error:
            raise self._ended(error) from error

    def ask(self, names: Sequence[str], picture: bytes | memoryview) -> dict[str, Any]:
        """What the first classifier of `names` that opens says of `picture`. Raises `Died`."""
        process = self._process
        if process is None:
            raise Died
        assert process.stdin
        assert process.stdout
        try:
            write_question(process.stdin, {"names": list(names)}, picture)
            return read_answer(process.stdout)
        except (EOFError, OSError, ValueError) as error:
            raise self._ended(error) from error

    def kill(self) -> None:
        """End the worker now, whatever it does; `ask` then raises `Died`."""
        process = self._process
        if process and process.poll() is None:
            process.kill()

    def close(self) -> None:
        """End the worker for good."""
        with self._changing:
            self._closed = True
        self.kill()
        if self._process:
            self._process.wait()

    def memory(self) -> int:
        """Bytes of the worker that are resident; 0 where there is none or nothing tells."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE
        except (OSError, ValueError, IndexError):
            return 0

    def _begin(self) -> subprocess.Popen[bytes]:
        with self._changing:
            if self._closed:
                raise Died
            self.starts += 1
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PATH + _PROGRAM, str(_ROOT), str(self._models.absolute())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_ROOT,
                env=_environment(),
            )
            return self._process

    def _ended(self, error: Exception) -> Died:
        """Tidy up after the worker, which may only have garbled an answer."""
        self.kill()
        if self._process:
            status = self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError, AttributeError):  # what it still held has nowhere to go
                    pipe.close()  # type: ignore[union-attr]
            return Died(f"the worker ended with status {status} ({error})")
        return Died(str(error))


def _environment() -> dict[str, str]:
    """The server's own, without the token and without modules from the maker's own folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    # With glibc's arena for each thread, what opening a model needed for a moment (90 MB for the
    # bears) would never be given back.
    return {**kept, "PYTHONSAFEPATH": "1", "MALLOC_ARENA_MAX": "2"}
