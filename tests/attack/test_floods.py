"""Too many messages, too many comms, messages that are too large: the flooder goes, alone."""

from __future__ import annotations

import contextlib

import websocket

from tests.limits.guest import Guest

TOO_MUCH = 4429


def flood(guest: Guest, times: int) -> tuple[int, str]:
    try:
        for _ in range(times):
            guest.says("comm_msg", {"comm_id": "a", "data": {"method": "request_state"}})
    except (ConnectionError, websocket.WebSocketException):
        pass  # it was disconnected in the middle of it
    return guest.is_dismissed()


def test_a_flood_of_messages(the_target: str) -> None:
    guest, other = (Guest(the_target).arrives().connects() for _ in range(2))
    assert flood(guest, 5000)[0] in (TOO_MUCH, 1006)
    assert guest.is_gone()
    assert other.is_answered()
    other.leaves()


def test_a_flood_of_requests_for_all_states(the_target: str) -> None:
    guest = Guest(the_target).arrives().connects()
    guest.says(
        "comm_open",
        {"comm_id": "c", "target_name": "jupyter.widget.control", "data": {"widgets": []}},
    )
    try:
        for _ in range(2000):
            guest.says("comm_msg", {"comm_id": "c", "data": {"method": "request_states"}})
    except (ConnectionError, websocket.WebSocketException):
        pass
    assert guest.is_dismissed()[0] in (TOO_MUCH, 1006)
    assert guest.is_gone()


def test_a_flood_of_comms(the_target: str) -> None:
    guest = Guest(the_target).arrives().connects()
    try:
        for number in range(300):
            guest.says(
                "comm_open",
                {"comm_id": f"c{number}", "target_name": "jupyter.widget.control", "data": {}},
            )
    except (ConnectionError, websocket.WebSocketException):
        pass
    assert guest.is_dismissed()[0] in (4403, TOO_MUCH, 1006)
    assert guest.is_gone()


def test_a_message_that_is_too_large_closes_the_connection(the_target: str) -> None:
    guest = Guest(the_target).arrives().connects()
    with contextlib.suppress(ConnectionError, websocket.WebSocketException):
        guest.touches("a", {"method": "update", "state": {}}, (bytes(70 * 1024 * 1024),))
    assert guest.is_dismissed()[0] in (1009, 1006)
    guest.leaves()


def test_a_message_that_grows_too_large_piece_by_piece(the_target: str) -> None:
    guest = Guest(the_target).arrives().connects()
    piece = bytes(8 * 1024 * 1024)
    try:
        for number in range(10):
            opcode = websocket.ABNF.OPCODE_CONT if number else websocket.ABNF.OPCODE_BINARY
            guest.socket.send_frame(websocket.ABNF(0, 0, 0, 0, opcode, 1, piece))
    except (ConnectionError, websocket.WebSocketException):
        pass
    assert guest.is_dismissed()[0] in (1009, 1006)
    guest.leaves()


def test_more_buffers_than_a_page_has(the_target: str) -> None:
    guest = Guest(the_target).arrives().connects()
    guest.touches("a", {"method": "update", "state": {}}, (b"x",) * 100)
    assert guest.is_dismissed()[0] == 4403
