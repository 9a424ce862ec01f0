"""Checking happens in processes that a picture may take down, and nothing else with them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from kezako.gather.check import Checked, Reject
from kezako.gather.check_pool import Checkers
from tests.gather.saved import jpeg
from tests.needs import only_where
from tests.standin.trouble import bomb


def test_a_bomb_is_rejected_and_the_next_picture_kept() -> None:
    async def both() -> list[Checked | Reject]:
        async with Checkers(processes=1) as checkers:
            return [await checkers.check(bomb()), await checkers.check(jpeg())]

    rejected, kept = asyncio.run(both())
    assert isinstance(rejected, Reject)
    assert rejected.reason.startswith("unreadable: This picture is too large")
    assert isinstance(kept, Checked)


@only_where(sys.platform == "linux", "others limit no process's memory so")
def test_a_process_cannot_take_more_memory_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    hungry = (
        "from kezako.gather import check as c; check = c.check; "
        "c.check = lambda *asked: (bytearray(3 * 2**30), check(*asked))[1]; c.serve()"
    )
    monkeypatch.setattr("kezako.gather.check_pool._PROGRAM", hungry)

    async def one() -> Checked | Reject:
        async with Checkers(processes=1) as checkers:
            return await checkers.check(jpeg())

    outcome = asyncio.run(one())
    assert isinstance(outcome, Reject)
    assert outcome.reason == "unreadable: it brought the decoder down"


def test_a_picture_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = (
        "import time; from kezako.gather import check as c; "
        "c.check = lambda *_: time.sleep(600); c.serve()"
    )
    monkeypatch.setattr("kezako.gather.check_pool._PROGRAM", stuck)

    async def one() -> Checked | Reject:
        async with Checkers(processes=1, seconds=0.5) as checkers:
            return await checkers.check(jpeg())

    outcome = asyncio.run(one())
    assert isinstance(outcome, Reject)
    assert outcome.reason == "too slow: not decoded in 0.5 seconds"


@only_where(os.name == "posix", "signals")
def test_a_process_that_the_system_killed_is_replaced() -> None:
    async def killed_before() -> Checked | Reject:
        async with Checkers(processes=1) as checkers:
            await checkers.check(jpeg(1))
            (pid,) = checkers.pids
            os.kill(pid, signal.SIGKILL)
            return await checkers.check(jpeg(2))

    assert isinstance(asyncio.run(killed_before()), Checked)


def test_a_process_that_starts_slowly_is_no_pictures_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = "import time; time.sleep(3); from kezako.gather.check import serve; serve()"
    monkeypatch.setattr("kezako.gather.check_pool._PROGRAM", slow)

    async def one() -> Checked | Reject:
        async with Checkers(processes=1, seconds=2) as checkers:
            return await checkers.check(jpeg())

    assert isinstance(asyncio.run(one()), Checked)


def test_no_process_is_left_behind() -> None:
    async def check_and_leave() -> list[int]:
        async with Checkers(processes=2) as checkers:
            await asyncio.gather(*(checkers.check(jpeg(n)) for n in range(6)))
            return checkers.pids

    pids = asyncio.run(check_and_leave())
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
