"""The queue by itself: order, tickets that are forgotten, shares, an end to its length."""

from __future__ import annotations

import pytest

from kezako.api.concurrency import neighbourhood
from kezako.serve.admission import PATIENCE, QUEUE, Session, Visitors, Waiting
from kezako.serve.limits import Limits


class House:
    """Visitors in a house of so many places, with a clock that is set by hand."""

    def __init__(self, places: int, limits: Limits | None = None) -> None:
        self.now = 0.0
        self.visitors = Visitors(
            limits or Limits(), lambda: places - len(self.visitors), lambda: self.now
        )

    def enters(self, address: str = "192.0.2.1", ticket: str = "") -> Session:
        place = self.visitors.admit(address, ticket)
        assert isinstance(place, Session)
        return place

    def waits(self, address: str = "192.0.2.1", ticket: str = "") -> Waiting:
        waiting = self.visitors.admit(address, ticket)
        assert isinstance(waiting, Waiting)
        return waiting


def test_a_ticket_keeps_its_turn() -> None:
    house = House(1)
    inside = house.enters("192.0.2.1")
    first, second = house.waits("192.0.2.2"), house.waits("192.0.2.3")
    assert (first.before, second.before) == (0, 1)
    house.visitors.leave(inside)
    assert house.waits("192.0.2.3", second.ticket).before == 1
    house.enters("192.0.2.2", first.ticket)
    assert house.waits("192.0.2.3", second.ticket).before == 0


def test_who_does_not_ask_any_more_is_forgotten() -> None:
    house = House(1)
    inside = house.enters()
    house.waits("192.0.2.2")
    house.now = PATIENCE / 2
    second = house.waits("192.0.2.3")
    house.now = PATIENCE + 1
    house.visitors.leave(inside)
    house.enters("192.0.2.3", second.ticket)
    assert house.visitors.waiting == 0


def test_a_ticket_lets_in_once() -> None:
    house = House(1)
    inside = house.enters()
    waiting = house.waits("192.0.2.2")
    house.visitors.leave(inside)
    house.enters("192.0.2.2", waiting.ticket)
    again = house.waits("192.0.2.2", waiting.ticket)
    assert again.ticket != waiting.ticket


def test_a_made_up_ticket_is_worth_nothing() -> None:
    house = House(1)
    house.enters()
    house.waits("192.0.2.2")
    assert house.waits("192.0.2.3", "made-up").before == 1


def test_one_address_has_an_end_to_its_places_and_its_tickets() -> None:
    house = House(8)
    for _ in range(6):
        house.enters("192.0.2.1")
    tickets = [house.waits("192.0.2.1") for _ in range(20)]
    assert all(waiting.crowded for waiting in tickets)
    assert sum(bool(waiting.ticket) for waiting in tickets) == 8
    house.enters("192.0.2.2")
    house.enters("192.0.2.3")
    assert house.waits("192.0.2.4").before == 0


def test_the_queue_has_an_end() -> None:
    house = House(1)
    house.enters()
    tickets = [house.waits(f"10.{n // 250}.{n % 250}.1").ticket for n in range(QUEUE + 5)]
    assert [bool(ticket) for ticket in tickets[-6:]] == [True, False, False, False, False, False]


def test_this_machine_may_fill_the_house() -> None:
    house = House(3)
    for _ in range(3):
        house.enters("127.0.0.1")
    assert len(house.visitors) == 3
    house = House(3, Limits(visitors_per_address=1))
    house.enters("127.0.0.1")
    house.waits("127.0.0.1")
    assert len(house.visitors) == 1


def test_one_address_cannot_come_and_go_all_the_time() -> None:
    house = House(8, Limits(arrivals_at_once=5, arrivals_a_second=1))
    for _ in range(5):
        house.visitors.leave(house.enters("192.0.2.1"))
    assert house.waits("192.0.2.1").crowded
    house.enters("192.0.2.2")
    house.now += 2
    house.enters("192.0.2.1")


def test_waiting_does_not_use_up_the_right_to_come() -> None:
    house = House(1, Limits(arrivals_at_once=2, arrivals_a_second=0))
    inside = house.enters("192.0.2.2")
    ticket = house.waits("192.0.2.1").ticket
    for _ in range(10):
        assert not house.waits("192.0.2.1", ticket).crowded
    house.visitors.leave(inside)
    house.enters("192.0.2.1", ticket)


def test_a_place_is_freed_once() -> None:
    house = House(1)
    place = house.enters()
    assert house.visitors.leave(place)
    assert not house.visitors.leave(place)
    assert len(house.visitors) == 0


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("<script>", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_counts_as_one_address(address: str, counts_as: str) -> None:
    assert neighbourhood(address) == counts_as


@pytest.mark.parametrize(("others", "seconds"), [(True, 20), (False, 75)])
def test_who_lost_the_network_holds_a_place_no_longer_while_others_wait(
    others: bool, seconds: int
) -> None:
    house = House(1)
    inside = house.enters()
    inside.opened = True
    while house.now <= seconds:
        if others:
            house.waits("192.0.2.2")
        assert house.visitors.overdue(inside) == ""
        house.now += 5
    assert house.visitors.overdue(inside) == "gone"
