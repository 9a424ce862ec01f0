"""How long a wait takes is told from the ends of the visits before, and only from them."""

from __future__ import annotations

import pytest

from kezako.serve.admission import RECENTLY
from kezako.serve.handlers import _about
from kezako.words import words
from tests.limits.test_visitors import House


def after_visits(seconds: float, count: int) -> House:
    """A full house with one place, where so many visits of so many seconds each ended."""
    house = House(1)
    for _ in range(count):
        visit = house.enters()
        house.now += seconds
        house.visitors.leave(visit)
    house.enters()
    return house


def test_nothing_is_said_before_enough_is_known() -> None:
    assert after_visits(60, 0).waits("192.0.2.2").seconds is None
    assert after_visits(60, 2).waits("192.0.2.2").seconds is None


@pytest.mark.parametrize("seconds", [20, 120])
def test_a_wait_takes_as_long_as_visits_do(seconds: float) -> None:
    house = after_visits(seconds, 10)
    house.now += seconds / 2
    first, second = house.waits("192.0.2.2"), house.waits("192.0.2.3")
    assert first.seconds == pytest.approx(seconds, rel=0.2)
    assert second.seconds == pytest.approx(2 * (first.seconds or 0))


def test_visits_of_long_ago_tell_nothing() -> None:
    house = after_visits(60, 10)
    house.now += RECENTLY + 1
    assert house.waits("192.0.2.2").seconds is None


def test_who_fills_the_house_is_not_told_when_it_opens() -> None:
    house = House(8)
    for _ in range(4):
        house.visitors.leave(house.enters("192.0.2.9"))
        house.now += 10
    for _ in range(6):
        house.enters("192.0.2.1")
    crowded = house.waits("192.0.2.1")
    assert (crowded.crowded, crowded.seconds) == (True, None)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "That may take about a minute."),
        (89, "That may take about a minute."),
        (125, "That may take about 2 minutes."),
        (3599, "That may take about 60 minutes."),
        (3601, ""),
    ],
)
def test_minutes_are_told(seconds: float, said: str) -> None:
    assert _about(seconds, words()) == said
