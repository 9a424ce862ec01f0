"""What strangers can bring into a log: as text that can pretend to be nothing else, and not much.

Two ways lead there. Kernels, and the processes that they are forked from, write to what they take
for a terminal: each has a `Scribe`. And the server's own lines quote a visitor here and there:
`tame` looks after them, whoever writes them.
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
RECORD = 16 * KIB  # characters of one message, a traceback among them
AHEAD = "  | "  # of a message's further lines, so that none looks like a message of its own
CHUNK = 64 * KIB  # bytes read at once

# Of one process: some tracebacks at once, and as many again after a quarter of an hour.
EACH = 16 * KIB, 16.0  # characters at once, and a second
# Of all together: whoever comes again and again writes less than 100 MB a day.
TOGETHER = 256 * KIB, 1.0 * KIB
SITE = 10, 1 / 60  # messages that one place in the code may write at once, and a second
# Of pyzmq, when a visit ends while something is on its way to or from its kernel.
HARMLESS = "Got events for closed stream"

Clock = Callable[[], float]
Log = logging.Logger | logging.LoggerAdapter  # type: ignore[type-arg]


def plain(
    text: str,
    most: int = LINE,  # characters
) -> str:
    """`text` as one line: what moves a cursor, hides or turns text is written as its code."""
    line = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text[:most])
    return line if max(len(line), len(text)) <= most else f"{line[:most]} …"


def all_together() -> RateLimiter:
    """Of what all processes of a server may write."""
    return RateLimiter(*TOGETHER, time.monotonic())


class Scribe:
    """Writes into `log` what one other process writes, line by line, until it is too much."""

    def __init__(
        self,
        log: Log,
        who: str,  # begins each line
        together: RateLimiter,  # as `all_together` gives it
        clock: Clock = time.monotonic,
    ) -> None:
        self._log, self._who, self._together, self._clock = log, who, together, clock
        self._own = RateLimiter(*EACH, clock())
        self._rest = b""  # of a line whose end has not come
        self._left_out = 0  # bytes, since it became too much

    def take(self, chunk: bytes) -> None:
        """What the process wrote; any bytes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._write(line)

    def end(self) -> None:
        """Nothing more comes."""
        if self._rest:
            self._write(self._rest)
        self._rest = b""

    def follow_beside(self, pipe: IO[bytes]) -> None:
        """Take what comes from `pipe`, to its end, in a thread of its own."""

        def follow() -> None:
            with pipe:
                while chunk := os.read(pipe.fileno(), CHUNK):
                    self.take(chunk)
            self.end()

        threading.Thread(target=follow, name="kezako-scribe", daemon=True).start()

    def _write(self, line: bytes) -> None:
        now = self._clock()
        if self._left_out and not self._own.is_full(now):
            self._left_out += len(line) + 1  # else each second would bring a line, and a note
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
        # It is measured already, see `_Sites`.
        self._log.warning(f"%s: {text}", self._who, *arguments, extra={"measured": True})


class Hearing(asyncio.Protocol):
    """Gives a scribe what comes over a socket; `over` is done when nothing more can."""

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
    alone: bool = False,  # else loggers without a handler, too
) -> None:
    """Let no line of `log` pretend to be another one.

    And let no place in the code write more than some at once: visitors can bring about as many as
    they like.
    """
    for handler in log.handlers:
        handler.setFormatter(_Plain(handler.formatter or logging.Formatter()))
        handler.addFilter(_Sites())
        if not alone:  # what tornado, zmq and asyncio say would go raw to the standard error
            logging.getLogger().addHandler(handler)


class _Plain(logging.Formatter):
    """What `inner` formats, without anything but text, its further lines marked as such."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        text = self._inner.format(record)
        if len(text) > RECORD:  # what went wrong stands at a traceback's end
            half = RECORD // 2
            text = f"{text[:half]}\n({len(text) - RECORD} characters left out)\n{text[-half:]}"
        first, *others = text.split("\n")
        return "\n".join([plain(first), *(AHEAD + plain(line) for line in others)])


class _Sites(logging.Filter):
    """Lets each place in the code that writes have its share."""

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
    """Where the record comes from; for an error, where that does."""
    trace = record.exc_info[2] if record.exc_info else None
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = (trace.tb_frame.f_code, trace.tb_lineno) if trace else None
    return record.pathname, record.lineno, where
