"""Who does not know a kernel's id learns none, and ends none."""

from __future__ import annotations

import uuid

from tests.limits.guest import Guest, ask


def test_made_up_ids_open_nothing(the_target: str) -> None:
    guest = Guest(the_target).arrives().connects()
    for _ in range(50):
        other = Guest(the_target, str(uuid.uuid4()))
        assert other.connects().is_dismissed()[0] == 4410
        assert other.leaves().status == 204
        assert other.is_gone()
    assert guest.is_answered()
    guest.leaves()


def test_ids_that_are_none(the_target: str) -> None:
    for ident in ("x", "..", "%2e%2e", "1-2-3-4-5/../..", "a" * 3000, "1-2-3-4-5%0d%0aX:y"):
        assert ask(the_target, f"api/kernels/{ident}").status == 404
        assert ask(the_target, f"voila/api/shutdown/{ident}", "POST", b"").status == 404


def test_the_page_of_one_visitor_tells_nothing_of_another(the_target: str) -> None:
    guests = [Guest(the_target).arrives() for _ in range(5)]
    assert len({guest.kernel for guest in guests}) == 5
    for guest in guests:
        others = [other.kernel for other in guests if other is not guest]
        assert not any(kernel in guest.page for kernel in others)
        guest.leaves()
