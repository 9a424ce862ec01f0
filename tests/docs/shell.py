"""A reader at a terminal: types the commands of a page one after the other."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.ports import unused_port

DEADLINE = 900  # seconds for one command on a busy machine
_SERVER = re.compile(
    r"^(\w+=\S+ +)*(kezako (scale )?serve\b|kezako clean .*--open|voila |jupyter (server|lab)\b)"
)
_LOCAL = re.compile(r"http://(127\.0\.0\.1|localhost):\d+/?")
_SAID = re.compile(r"http://\S*?:(\d+)")


class Shell:
    """One bash for a whole page, so that `cd`, `export` and `activate` last.

    A server runs on beside the commands after it, as in a second terminal, until the next server
    or the page's end; their `http://127.0.0.1:PORT/` is then that server's address.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]):
        self.folder = folder
        self._log = folder.parent / f"{folder.name}.log"
        self._statuses, theirs = os.pipe()
        self._status = theirs
        with self._log.open("wb") as log:
            self._bash = subprocess.Popen(
                ["bash", "--norc", "--noprofile"], cwd=folder, env=dict(environment),
                stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=[theirs],
                start_new_session=True,
            )  # fmt: skip
        os.close(theirs)
        self._server: int | None = None
        self._servers, self._address = 0, ""
        self._ask("set -m", "$?")  # a group of its own for each server

    def type(self, command: str) -> str:
        """What `command` prints. Raises `AssertionError` where it fails."""
        if _SERVER.match(command):
            return self._serve(command)
        if self._address:
            command = _LOCAL.sub(self._address, command)
        began = self._log.stat().st_size
        status = self._ask(command, "$?")
        said = self._log.read_bytes()[began:].decode(errors="replace")
        assert status == 0, f"{command!r} ended with {status}:\n{said[-3000:]}"
        return said

    def close(self) -> None:
        self._end_server()
        assert self._bash.stdin
        with suppress(OSError):
            self._bash.stdin.close()
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self._bash.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._bash.kill()
        self._bash.wait()
        os.close(self._statuses)

    def _serve(self, command: str) -> str:
        """Start a server, and wait until it answers."""
        self._end_server()
        command = re.sub(r"--port \d+", lambda _: f"--port {unused_port()}", command)
        self._servers += 1
        log = self._log.with_suffix(f".{self._servers}.log")
        log.touch()
        self._server = self._ask(f"{{ {command}\n}} > '{log}' 2>&1 &", "$!")
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and _is_alive(self._server):
            said = log.read_text(errors="replace")
            if (found := _SAID.search(said)) and _answers(f"http://127.0.0.1:{found[1]}/"):
                self._address = f"http://127.0.0.1:{found[1]}/"
                return said
            time.sleep(0.1)
        raise AssertionError(f"{command!r} does not serve:\n{log.read_text()[-3000:]}")

    def _end_server(self) -> None:
        if self._server is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._server, signal.SIGTERM)
            end = time.monotonic() + 20
            while _is_alive(self._server) and time.monotonic() < end:
                time.sleep(0.05)
            with suppress(ProcessLookupError):
                os.killpg(self._server, signal.SIGKILL)
        self._server, self._address = None, ""

    def _ask(self, command: str, value: str) -> int:
        """Run `command` in this very bash, and return a number that it knows afterwards."""
        # Its own input is no command's to read.
        typed = command if command.endswith("&") else f"{{ {command}\n}} < /dev/null"
        assert self._bash.stdin
        self._bash.stdin.write(f"{typed}\nprintf '%d\\n' {value} >&{self._status}\n".encode())
        self._bash.stdin.flush()
        ready, _, _ = select.select([self._statuses], [], [], DEADLINE)
        answer = os.read(self._statuses, 100) if ready else b""
        if not answer:
            raise AssertionError(f"{command!r} did not end:\n{self._log.read_text()[-3000:]}")
        return int(answer)


def commands(text: str) -> Iterator[str]:
    """The commands of a block: lines, joined where one goes on in the next."""
    command = ""
    for line in text.splitlines():
        command = f"{command}\n{line}" if command else line.strip()
        checked = subprocess.run(
            ["bash", "-n"], input=command, text=True, capture_output=True, check=False
        )
        if checked.returncode or checked.stderr or command.endswith("\\"):
            continue  # a quote, a brace, a here-document that is still open
        if command and not command.startswith("#"):
            yield command
        command = ""
    assert not command, f"{command!r} is not a whole command"


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except urllib.error.HTTPError as error:
        return error.code < 500  # 503: still warming up
    except OSError:
        return False
    return True


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
