"""Beyond the places there is a polite page, which lets people in in the order of their coming."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.limits.conftest import Host
from tests.limits.guest import Guest, ask
from tests.servers import until


@pytest.fixture(scope="module")
def two_places(a_host: Host) -> Iterator[str]:
    with a_host("--visitors", "2") as address:
        yield address


def test_the_third_waits_politely_and_gets_the_place_of_who_leaves(two_places: str) -> None:
    first, second = Guest(two_places).arrives(), Guest(two_places).arrives()
    page = ask(two_places, "?model=colours")
    assert page.status == 503
    assert int(page.headers["retry-after"]) <= 10
    assert "You are next" in page.text
    assert "model=colours" in page.again  # what was asked for is not forgotten
    assert ask(two_places, page.again).status == 503
    assert first.leaves().status == 204
    third = Guest(two_places).arrives(page.again)
    assert third.connects().is_answered()
    for guest in (second, third):
        guest.leaves()


def test_people_come_in_in_the_order_of_their_coming(two_places: str) -> None:
    inside = [Guest(two_places).arrives(), Guest(two_places).arrives()]
    early, late = ask(two_places), ask(two_places)
    assert "You are next" in early.text
    assert "1 other waits before you" in late.text
    inside.pop().leaves()
    assert ask(two_places, late.again).status == 503, "late is not let in before early"
    newcomer = ask(two_places)
    assert newcomer.status == 503, "nor is somebody without a ticket"
    inside.append(Guest(two_places).arrives(early.again))
    assert "You are next" in ask(two_places, late.again).text
    inside.pop().leaves()
    inside.append(Guest(two_places).arrives(late.again))
    inside.pop().leaves()
    inside.append(Guest(two_places).arrives(newcomer.again))
    for guest in inside:
        guest.leaves()


def test_the_page_does_not_see_the_ticket(two_places: str) -> None:
    inside = [Guest(two_places).arrives(), Guest(two_places).arrives()]
    again = ask(two_places).again
    ticket = again.partition("ticket=")[2]
    for guest in inside:
        guest.leaves()
    page = ask(two_places, again)
    assert page.status == 200
    assert len(ticket) > 10
    assert ticket not in page.text
    Guest(two_places, page.kernel).leaves()


def test_a_closed_tab_frees_its_place_at_once(two_places: str) -> None:
    for _ in range(5):
        guests = [Guest(two_places).arrives(), Guest(two_places).arrives()]
        for guest in guests:
            guest.leaves()


def test_asking_for_the_headers_takes_no_place(two_places: str) -> None:
    for _ in range(5):
        answer = ask(two_places, "", "HEAD")
        assert (answer.status, answer.text) == (200, "")
        assert "text/html" in answer.headers["content-type"]
    inside = [Guest(two_places).arrives(), Guest(two_places).arrives()]
    for guest in inside:
        guest.leaves()
    until(lambda: all(guest.is_gone() for guest in inside), "Somebody stays.")
