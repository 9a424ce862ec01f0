"""Client of the worker process: starts it on demand, kills it if it hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from kezako.worker.protocol import Outcome, Picture, read_answer, write_question

_ROOT = Path(__file__).parents[2]
_PATH = "import sys; sys.path.append(sys.argv.pop(1)); "  # last, so that it shadows no module
_PROGRAM = "from kezako.worker.process import main; main()"
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096  # bytes
_SECRET = "KEZAKO_API_"  # prefix of settings that the worker must not get, including the token

_SPARING = {
    # With an arena per thread, glibc would never return the memory that opening a model needs for a
    # moment (90 MB for the bears).
    "MALLOC_ARENA_MAX": "2",
    # NumPy's threads spin while they wait: on busy cores, one picture then takes three times the
    # work.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


class Died(RuntimeError):
    """The worker process ended without an answer."""


class Predictor:
    """One worker process. `start` and `ask` block; other threads may call `kill` and `memory`."""

    def __init__(
        self,
        models: Path,
        threads: int = 0,  # for one request; 0: as many as help
        follow: Callable[[IO[bytes]], None] | None = None,  # is given the worker's stderr
    ):
        self._models = models
        self._threads = threads
        self._follow = follow
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()  # guards _process, so that close() misses no new one
        self.closed = False  # for good
        self.starts = 0

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process and process.poll() is None else None

    def start(self) -> None:
        """Start the worker and wait until it is ready. Raises `Died`."""
        if self.pid is not None:
            return
        process = self._begin()
        assert process.stdout
        try:
            read_answer(process.stdout)
        except (EOFError, OSError, ValueError) as error:
            raise self._ended(error) from error

    def ask(self, names: Sequence[str], pictures: Sequence[Picture]) -> list[Outcome]:
        """Outcomes from the first classifier of `names` that can be opened. Raises `Died`."""
        process = self._process
        if process is None:
            raise Died
        assert process.stdin
        assert process.stdout
        try:
            write_question(process.stdin, {"names": list(names)}, pictures)
            outcomes = read_answer(process.stdout).get("outcomes")
            if not isinstance(outcomes, list) or len(outcomes) != len(pictures):
                raise ValueError("an answer of the worker does not fit the question")
        except (EOFError, OSError, ValueError) as error:
            raise self._ended(error) from error
        return outcomes

    def kill(self) -> None:
        """Kill the worker, whatever it is doing; `ask` then raises `Died`."""
        process = self._process
        if process and process.poll() is None:
            process.kill()

    def close(self) -> None:
        """End the worker; it is not started again."""
        with self._changing:
            self.closed = True
        self._end()

    def memory(self) -> int:
        """Resident memory of the worker in bytes; 0 if there is none or it is unknown."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE
        except (OSError, ValueError, IndexError):
            return 0

    def _begin(self) -> subprocess.Popen[bytes]:
        arguments = [str(_ROOT), str(self._models.absolute()), str(self._threads)]
        with self._changing:
            if self.closed:
                raise Died
            self.starts += 1
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PATH + _PROGRAM, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if self._follow else None,
                cwd=_ROOT,
                env=_environment(),
            )
            if self._follow and self._process.stderr:
                self._follow(self._process.stderr)
            return self._process

    def _ended(self, error: Exception) -> Died:
        """Clean up; the worker may still run if it only sent an invalid answer."""
        status = self._end()
        return Died(str(error) if status is None else f"it ended with status {status} ({error})")

    def _end(self) -> int | None:
        """Kill the worker; returns its exit status, if there was one."""
        self.kill()
        if self._process is None:
            return None
        status = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError, AttributeError):  # unsent data cannot be delivered
                pipe.close()  # type: ignore[union-attr]
        return status


def _environment() -> dict[str, str]:
    """This process's environment without the token; imports skip the working directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SECRET)}
    return {**kept, **_SPARING, "PYTHONSAFEPATH": "1"}
