"""Kernels end when nobody uses them: never opened, left behind, fallen asleep, died."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.limits.conftest import Host
from tests.limits.guest import Guest, ask
from tests.servers import until


@pytest.fixture(scope="module")
def a_hasty_host(a_host: Host) -> Iterator[str]:
    with a_host(KEZAKO_OPENING="2", KEZAKO_RETURNING="2", KEZAKO_IDLE="4") as address:
        yield address


def test_a_page_that_never_opens_its_websocket_ends(a_hasty_host: str) -> None:
    guest = Guest(a_hasty_host).arrives()
    assert not guest.is_gone()
    until(guest.is_gone, "The kernel lives on.")


def test_a_lost_connection_finds_its_kernel_again_for_a_while(a_hasty_host: str) -> None:
    guest = Guest(a_hasty_host).arrives().connects()
    guest.socket.shutdown()
    assert guest.connects().is_answered()
    guest.socket.shutdown()
    until(guest.is_gone, "The kernel lives on.")


def test_who_comes_back_too_late_is_told_so(a_hasty_host: str) -> None:
    guest = Guest(a_hasty_host).arrives()
    until(guest.is_gone, "The kernel lives on.")
    code, said = guest.connects().is_dismissed()
    assert (code, said) == (4410, "This page has ended.")


def test_a_page_that_nobody_touches_is_put_to_sleep_with_a_sentence(a_hasty_host: str) -> None:
    guest = Guest(a_hasty_host).arrives().connects()
    code, said = guest.is_dismissed()
    assert code == 4408
    assert "asleep" in said
    assert guest.is_gone()


def test_asking_about_a_kernel_tells_nothing_but_whether_it_lives(a_hasty_host: str) -> None:
    guest = Guest(a_hasty_host).arrives()
    answer = ask(a_hasty_host, f"api/kernels/{guest.kernel}")
    assert (answer.status, answer.text) == (204, "")
    guest.leaves()
    assert ask(a_hasty_host, "api/kernels").status == 404
    assert ask(a_hasty_host, "api/kernels", "POST", b"{}").status in (404, 405)
