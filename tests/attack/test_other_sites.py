"""Pages of other sites can neither talk to a kernel nor end one."""

from __future__ import annotations

import pytest
import websocket

from tests.limits.guest import Guest

FOREIGN = [
    "https://evil.example",
    "null",
    "http://127.0.0.1:1",
    "http://127.0.0.1.evil.example",
    "x",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_no_websocket(the_target: str, origin: str) -> None:
    guest = Guest(the_target).arrives()
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        guest.connects(origin=origin)
    assert refused.value.status_code == 403
    assert not guest.is_gone()
    guest.leaves()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_websocket_whatever_the_origin_says(the_target: str, site: str) -> None:
    guest = Guest(the_target).arrives()
    with pytest.raises(websocket.WebSocketBadStatusException):
        guest.connects(origin="https://evil.example", header=[f"Sec-Fetch-Site: {site}"])
    guest.leaves()


@pytest.mark.parametrize("origin", FOREIGN)
def test_no_goodbye(the_target: str, origin: str) -> None:
    guest = Guest(the_target).arrives()
    assert guest.leaves(Origin=origin).status == 403
    assert guest.leaves(Sec_Fetch_Site="cross-site").status == 403
    assert not guest.is_gone()
    assert guest.leaves(Origin=the_target.rstrip("/"), Sec_Fetch_Site="same-origin").status == 204
    assert guest.is_gone()
