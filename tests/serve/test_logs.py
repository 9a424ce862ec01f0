"""What strangers bring into a log is text, marked as what it is, and bounded."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

import pytest

from voila_snapshot.logs import EACH, LINE, RECORD, TOGETHER, Scribe, all_together, plain, tame
from voila_snapshot.rate_limit import RateLimiter

DAY = 24 * 3600.0


class Clock:
    """A time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def a_log() -> tuple[logging.Logger, Callable[[], list[str]]]:
    """A logger, and the lines that it has written."""
    log, file = logging.Logger("Server"), io.StringIO()
    handler = logging.StreamHandler(file)
    handler.setFormatter(logging.Formatter("[Server] %(message)s"))
    log.addHandler(handler)
    return log, lambda: file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a l\u00efne \u540d\U0001f43b", "a l\u00efne \u540d\U0001f43b"),
     ("a\x1b[2J\r\nb\x9b\u202e\u2028\x00", r"a\x1b[2J\r\nb\x9b\u202e\u2028\x00"),
     ("x" * (LINE + 1), "x" * LINE + " \u2026"),
     ("\x00" * LINE, (LINE // 4) * r"\x00" + " \u2026")],
)  # fmt: skip
def test_a_line_is_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_lines_are_put_together(a_log: tuple[logging.Logger, Callable[[], list[str]]]) -> None:
    log, lines = a_log
    scribe = Scribe(log, "Kernel 7", all_together())
    for chunk in (b"on", b"e\ntw", "\u00f6".encode()[:1], "\u00f6".encode()[1:], b"\r\n\xff\nlast"):
        scribe.take(chunk)
    assert lines() == [f"[Server] Kernel 7: {said}" for said in ("one", "tw\u00f6", "\ufffd")]
    scribe.end()
    assert lines()[-1] == "[Server] Kernel 7: last"


def test_one_that_never_ends_its_line_is_not_waited_for(
    a_log: tuple[logging.Logger, Callable[[], list[str]]],
) -> None:
    log, lines = a_log
    Scribe(log, "Kernel 7", all_together()).take(b"x" * 100_000)
    assert [len(line) for line in lines()] == [len("[Server] Kernel 7: ") + LINE + 2]


def test_who_writes_too_much_is_cut_and_heard_again_later(
    a_log: tuple[logging.Logger, Callable[[], list[str]]],
) -> None:
    log, lines = a_log
    clock = Clock()
    scribe = Scribe(log, "Kernel 7", RateLimiter(*TOGETHER, clock()), clock)
    for _ in range(100_000):
        scribe.take(b"a line that is written again and again\n")
        clock.now += 0.001
    written = lines()
    assert EACH[0] / 2 < sum(map(len, written)) < 2 * EACH[0]
    assert written[-1] == "[Server] Kernel 7: (It writes too much; the rest is left out.)"
    assert sum("too much" in line for line in written) == 1
    clock.now += DAY
    scribe.take(b"still here\n")
    *_, left_out, again = lines()
    assert "bytes of it were left out.)" in left_out
    assert again == "[Server] Kernel 7: still here"


def test_many_have_a_share_together(
    a_log: tuple[logging.Logger, Callable[[], list[str]]],
) -> None:
    log, lines = a_log
    clock, together = Clock(), RateLimiter(*TOGETHER, 0)
    for number in range(1000):
        scribe = Scribe(log, f"Kernel {number}", together, clock)
        scribe.take(b"x" * 99 + b"\n" + 99 * (b"y" * 99 + b"\n"))
    said = [line.partition(": ")[2] for line in lines()]
    assert sum(len(line) + 1 for line in said if "too much" not in line) <= TOGETHER[0]
    assert sum("too much" in line for line in said) <= 1000
    assert all(said), "each is heard, or is said to be left out"


def test_a_record_cannot_look_like_two(
    a_log: tuple[logging.Logger, Callable[[], list[str]]],
) -> None:
    log, lines = a_log
    tame(log, alone=True)
    name = "a name\n[Server] forged\x1b[2J"
    log.warning("%s", name)
    try:
        raise ValueError(name)
    except ValueError:
        log.exception("It failed.")
    assert [line for line in lines() if line.startswith("[Server]")] == [
        "[Server] a name", "[Server] It failed.",
    ]  # fmt: skip
    assert r"  | [Server] forged\x1b[2J" in lines()
    assert sum("forged" in line for line in lines()) == 2
    log.warning("x\n" * 100_000)
    assert len("\n".join(lines())) < 4 * RECORD


def test_one_place_writes_so_much_and_hides_no_other(
    a_log: tuple[logging.Logger, Callable[[], list[str]]],
) -> None:
    log, lines = a_log
    tame(log, alone=True)
    for number in range(1000):
        log.warning("again, %d", number)
    first = lines()
    assert len(first) < 20
    assert "are left out for a while" in first[-1]
    log.warning("something else")
    for failing in (int, float):
        try:
            failing("no number")
        except ValueError:
            log.exception("It failed.")
    assert sum("It failed." in line for line in lines()) == 2
    assert "[Server] something else" in lines()
