"""One address cannot take all places; who is behind a proxy is told apart by what it writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.limits.conftest import Host
from tests.limits.guest import Answer, Guest, ask


@pytest.fixture(scope="module")
def behind_a_proxy(a_host: Host) -> Iterator[str]:
    with a_host("--visitors", "4", "--behind-proxy") as address:
        yield address


def leave(guests: list[Guest], waiting: list[Answer] = []) -> None:  # noqa: B006
    """All go home, and nobody is left in the queue."""
    for guest in guests:
        guest.leaves()
    for page in waiting:
        Guest(guests[0].address).arrives(page.again.lstrip("/")).leaves()


def test_one_address_gets_three_of_four_places(behind_a_proxy: str) -> None:
    greedy = [Guest(behind_a_proxy).arrives(X_Forwarded_For="203.0.113.5") for _ in range(3)]
    refused = ask(behind_a_proxy, X_Forwarded_For="203.0.113.5")
    assert refused.status == 503
    assert "opened from your network" in refused.text
    other = Guest(behind_a_proxy).arrives(X_Forwarded_For="198.51.100.7")
    leave([*greedy, other], [refused])


def test_only_what_the_last_proxy_wrote_counts(behind_a_proxy: str) -> None:
    forged = [f"10.0.0.{n}, 203.0.113.6" for n in range(4)]
    guests = [Guest(behind_a_proxy).arrives(X_Forwarded_For=line) for line in forged[:3]]
    refused = [
        ask(behind_a_proxy, X_Forwarded_For=forged[3]),
        ask(behind_a_proxy, X_Forwarded_For="203.0.113.6", X_Real_IP="10.9.9.9"),
    ]
    assert [page.status for page in refused] == [503, 503]
    leave(guests, refused)


def test_a_queue_of_one_address_does_not_hold_up_others(behind_a_proxy: str) -> None:
    greedy = [Guest(behind_a_proxy).arrives(X_Forwarded_For="203.0.113.7") for _ in range(3)]
    refused = [ask(behind_a_proxy, X_Forwarded_For="203.0.113.7") for _ in range(3)]
    assert {page.status for page in refused} == {503}
    other = Guest(behind_a_proxy).arrives(X_Forwarded_For="198.51.100.7")
    leave([*greedy, other], refused)


def test_one_customer_has_many_addresses_of_the_new_kind(behind_a_proxy: str) -> None:
    many = [Guest(behind_a_proxy).arrives(X_Forwarded_For=f"2001:db8:0:1::{n}") for n in range(3)]
    refused = ask(behind_a_proxy, X_Forwarded_For="2001:db8:0:1:ffff::1")
    assert refused.status == 503
    neighbour = Guest(behind_a_proxy).arrives(X_Forwarded_For="2001:db8:0:2::1")
    leave([*many, neighbour], [refused])


def test_without_a_proxy_nobody_is_believed(a_host: Host) -> None:
    with a_host("--visitors", "4", KEZAKO_VISITORS_PER_ADDRESS="1") as address:
        guest = Guest(address).arrives(X_Forwarded_For="203.0.113.5")
        assert ask(address, X_Forwarded_For="198.51.100.7").status == 503
        guest.leaves()
