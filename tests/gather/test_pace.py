"""Requests are spaced and waits bounded, on a clock that the test turns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from kezako.gather.settings import Settings
from kezako.gather.sources import SourceStopped
from kezako.gather.sources.pace import Pace, kind_of, seconds_of


class Clock:
    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def paced(site: str, clock: Clock, pause: float = 1.0) -> Pace:
    settings = Settings(say=lambda sentence: None, pause=pause)
    return Pace(site, settings, clock=lambda: clock.now, sleep=clock.sleep)


def test_one_request_a_second_whoever_asks() -> None:
    clock = Clock()
    paced("site-a", clock).step()
    paced("site-a", clock).step()
    clock.now += 0.75
    paced("site-a", clock).step()
    assert clock.slept == pytest.approx([1.0, 0.25])


def test_sites_do_not_wait_for_one_another() -> None:
    clock = Clock()
    paced("site-b", clock).step()
    paced("site-c", clock).step()
    assert clock.slept == []


def test_a_limit_costs_two_pauses_at_most() -> None:
    clock = Clock()
    pace = paced("site-d", clock)
    pace.wait_out("429")
    pace.wait_out("429", retry_after=33)
    with pytest.raises(SourceStopped, match="site-d still limits requests"):
        pace.wait_out("429")
    assert clock.slept == [5.0, 33.0]


def test_pauses_are_scaled() -> None:
    clock = Clock()
    paced("site-e", clock, pause=0.5).wait_out("202")
    assert clock.slept == [2.5]


def test_retry_after_as_a_number_a_date_or_rubbish() -> None:
    later = datetime.now(UTC) + timedelta(seconds=50)
    assert seconds_of("12") == 12
    assert 40 < (seconds_of(format_datetime(later, usegmt=True)) or 0) <= 50
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert [seconds_of(value) for value in (None, "", "soon", "-3", "1e9", "١٢")] == [None] * 6


def test_what_a_status_means() -> None:
    assert [kind_of(status) for status in (202, 429, 403, 500, 301)] == [
        "limited",
        "limited",
        "refused",
        "broken",
        "broken",
    ]
