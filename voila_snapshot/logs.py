"""Limit what untrusted processes and visitors can write to the log, in form and amount.

There are two ways into the log. Kernels and zygotes write to stdout and stderr: each has a
`Scribe`. The server's own messages may quote a visitor: `tame` sanitizes them, whichever logger
writes them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import IO

from voila_snapshot.rate_limit import RateLimiter

KIB = 1024
LINE = 1000  # characters of one line
RECORD = 16 * KIB  # characters of one message, including tracebacks
AHEAD = "  | "  # prefix of a message's other lines, so that they cannot look like messages
CHUNK = 64 * KIB  # bytes per read

# Limits of one process: some tracebacks in a burst, and as much again after a quarter of an hour.
EACH = 16 * KIB, 16.0  # characters in a burst, and per second
# Limits of all processes together: less than 100 MB a day.
TOGETHER = 256 * KIB, 1.0 * KIB
SITE = 10, 1 / 60  # messages from one line of code: in a burst, and per second
# From pyzmq, if a visit ends while a message to or from its kernel is in flight.
HARMLESS = "Got events for closed stream"

Clock = Callable[[], float]
Log = logging.Logger | logging.LoggerAdapter  # type: ignore[type-arg]


def plain(
    text: str,
    most: int = LINE,  # characters
) -> str:
    """`text` as one line: control, invisible and text-reversing characters are escaped."""
    line = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text[:most])
    return line if max(len(line), len(text)) <= most else f"{line[:most]} …"


def all_together() -> RateLimiter:
    """The common limit for all processes of a server."""
    return RateLimiter(*TOGETHER, time.monotonic())


class Scribe:
    """Writes the output of another process to `log`, line by line, up to a limit."""

    def __init__(
        self,
        log: Log,
        who: str,  # prefix of each line
        together: RateLimiter,  # from `all_together`
        clock: Clock = time.monotonic,
    ) -> None:
        self._log, self._who, self._together, self._clock = log, who, together, clock
        self._own = RateLimiter(*EACH, clock())
        self._rest = b""  # an incomplete line
        self._left_out = 0  # bytes dropped since the limit was reached

    def take(self, chunk: bytes) -> None:
        """Log what the process has written; any bytes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._write(line)

    def end(self) -> None:
        """Log the rest: the process has ended."""
        if self._rest:
            self._write(self._rest)
        self._rest = b""

    def follow_beside(self, pipe: IO[bytes]) -> None:
        """Log what comes from `pipe`, until it closes, in a thread."""

        def follow() -> None:
            with pipe:
                while chunk := os.read(pipe.fileno(), CHUNK):
                    self.take(chunk)
            self.end()

        threading.Thread(target=follow, name="kernel-log", daemon=True).start()

    def _write(self, line: bytes) -> None:
        now = self._clock()
        if self._left_out and not self._own.is_full(now):
            # Otherwise it would log one line and one note per second.
            self._left_out += len(line) + 1
            return
        text = plain(line.rstrip(b"\r").decode("utf-8", "replace"))
        size = len(text) + 1
        if self._own.allow(now, size) and self._together.allow(now, size):
            if self._left_out:
                self._say("(%d bytes of it were left out.)", self._left_out)
                self._left_out = 0
            self._say("%s", text)
            return
        if not self._left_out:
            self._say("(It writes too much; the rest is left out.)")
        self._left_out += len(line) + 1

    def _say(self, text: str, *arguments: object) -> None:
        # Already rate-limited, so `_Sites` lets it pass.
        self._log.warning(f"%s: {text}", self._who, *arguments, extra={"measured": True})


class Hearing(asyncio.Protocol):
    """Passes data from a socket to a scribe; the future `over` is done when the socket closes."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        self.over = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._scribe.take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._scribe.end()
        if not self.over.done():
            self.over.set_result(None)


def tame(
    log: logging.Logger,
    alone: bool = False,  # False: also for loggers without a handler
) -> None:
    """Make sure that no line of `log` can imitate another one.

    It also limits how much each line of code can log, because visitors can trigger any number of
    messages.
    """
    for handler in log.handlers:
        handler.setFormatter(_Plain(handler.formatter or logging.Formatter()))
        handler.addFilter(_Sites())
        if not alone:  # messages of tornado, zmq and asyncio would go to stderr unfiltered
            logging.getLogger().addHandler(handler)


class _Plain(logging.Formatter):
    """Formats with `inner`, then escapes the text and marks all lines but the first."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        text = self._inner.format(record)
        if len(text) > RECORD:  # keep both ends: the error is at the end of a traceback
            half = RECORD // 2
            text = f"{text[:half]}\n({len(text) - RECORD} characters left out)\n{text[-half:]}"
        first, *others = text.split("\n")
        return "\n".join([plain(first), *(AHEAD + plain(line) for line in others)])


class _Sites(logging.Filter):
    """Limits the rate of messages from each line of code."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._limiters: dict[object, RateLimiter] = {}
        self._cut: set[object] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "measured", False):
            return True
        if str(record.msg).startswith(HARMLESS):
            return False
        site, now = _site(record), self._clock()
        if self._limiters.setdefault(site, RateLimiter(*SITE, now)).allow(now):
            self._cut.discard(site)
            return True
        if site in self._cut:
            return False
        self._cut.add(site)
        record.msg = f"More lines of {record.module}.{record.funcName} are left out for a while."
        record.args = record.exc_info = record.exc_text = record.stack_info = None
        return True


def _site(record: logging.LogRecord) -> object:
    """The line of code that logs the record; for an exception, also the line that raised it."""
    trace = record.exc_info[2] if record.exc_info else None
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = (trace.tb_frame.f_code, trace.tb_lineno) if trace else None
    return record.pathname, record.lineno, where
