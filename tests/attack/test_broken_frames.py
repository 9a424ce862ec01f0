"""Frames that are no messages: the connection is closed, others do not notice."""

from __future__ import annotations

import contextlib
import struct
from typing import Any

import pytest
import websocket

from tests.limits.guest import Guest, visit

V1 = "v1.kernel.websocket.jupyter.org"
DEEP = "[" * 100_000 + "]" * 100_000
PARTS = '{"header": %s, "parent_header": {}, "metadata": {}, "content": {}, "channel": "shell"}'
TEXTS = {
    "no JSON": "hello",
    "empty": " ",
    "a number": "17",
    "a list": "[]",
    "null": "null",
    "nothing in it": "{}",
    "deep": DEEP,
    "deep inside": PARTS % DEEP,
    "header a list": PARTS % "[]",
    "header a text": PARTS % '"kernel_info_request"',
    "too long": PARTS % ('"' + "a" * 2_000_000 + '"'),
    "surrogates": PARTS % r'{"msg_type": "\ud800", "msg_id": "\udfff"}',
}


def number(*values: int) -> bytes:
    return struct.pack(f"!{len(values)}I", *values)


def number_v1(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}Q", *values)


BINARY = {
    "empty": b"\0",
    "zero parts": number(0),
    "minus one part": number(0xFFFFFFFF),
    "more parts than there are": number(1_000_000) + b"x" * 100,
    "offset outside": number(1, 0xFFFFFFF0) + b"{}",
    "offsets falling": number(2, 20, 12) + b"{}" * 10,
    "no UTF-8": number(1, 8) + b"\xff\xfe\xfd",
    "random": bytes(range(256)) * 10,
}
BINARY_V1 = {
    "empty": b"\0",
    "zero": number_v1(0),
    "huge": number_v1(2**63) + b"x" * 100,
    "too few": number_v1(3, 32, 37, 39) + b"shell{}",
    "outside": number_v1(6, 56, 61, 2**40, 2**41, 2**42, 2**43) + b"shell",
    "falling": number_v1(6, 56, 61, 60, 59, 58, 57) + b"shell{}{}",
    "too many": number_v1(1000, *range(8008, 9008)),
    "no JSON": number_v1(6, 56, 61, 63, 65, 67, 69) + b"shell!!!!!!!!",
}


def is_refused(guest: Guest) -> bool:
    return guest.is_dismissed()[0] in (4403, 1006, 1007) and guest.is_gone()


@pytest.mark.parametrize("case", TEXTS)
def test_text(the_target: str, case: str) -> None:
    guest = Guest(the_target).arrives().connects()
    guest.socket.send(TEXTS[case])
    assert is_refused(guest)


@pytest.mark.parametrize("case", BINARY)
def test_binary(the_target: str, case: str) -> None:
    guest = Guest(the_target).arrives().connects()
    guest.socket.send_binary(BINARY[case])
    assert is_refused(guest)


@pytest.mark.parametrize("case", BINARY_V1)
def test_binary_of_the_newer_kind(the_target: str, case: str) -> None:
    guest = Guest(the_target).arrives().connects(subprotocols=[V1])
    guest.socket.send_binary(BINARY_V1[case])
    assert is_refused(guest)


def test_text_where_bytes_belong(the_target: str) -> None:
    guest = Guest(the_target).arrives().connects(subprotocols=[V1])
    guest.socket.send(PARTS % "{}")
    assert is_refused(guest)


def test_text_that_is_no_utf_8(the_target: str) -> None:
    guest = Guest(the_target).arrives().connects()
    guest.socket.send(b"\xff\xfe", opcode=websocket.ABNF.OPCODE_TEXT)
    assert guest.is_dismissed()[0] in (1006, 1007)
    guest.leaves()


def frame(fin: int, opcode: int, data: bytes) -> Any:
    return websocket.ABNF(fin, 0, 0, 0, opcode, 1, data)


@pytest.mark.parametrize(
    "frames",
    [
        [frame(1, websocket.ABNF.OPCODE_CONT, b"no beginning")],
        [frame(0, websocket.ABNF.OPCODE_TEXT, b"a"), frame(1, websocket.ABNF.OPCODE_TEXT, b"b")],
        [frame(0, websocket.ABNF.OPCODE_PING, b"in pieces")],
        [frame(1, websocket.ABNF.OPCODE_PING, b"x" * 126)],
    ],
    ids=["continued", "begun twice", "ping in pieces", "long ping"],
)
def test_frames_against_the_rules(the_target: str, frames: list[Any]) -> None:
    guest = Guest(the_target).arrives().connects()
    try:
        for each in frames:
            guest.socket.sock.sendall(each.format())
    except ConnectionError:
        pass
    assert guest.is_dismissed()[0] in (1002, 1006)
    guest.leaves()


@pytest.mark.parametrize("offered", [["nonsense"], ["a", "b", V1], ["x" * 5000]])
def test_odd_subprotocols(the_target: str, offered: list[str]) -> None:
    guest = Guest(the_target).arrives()
    with contextlib.suppress(websocket.WebSocketException):
        guest.connects(subprotocols=offered)
    guest.leaves()
    assert guest.is_gone()
    visit(the_target)


@pytest.mark.parametrize("session", ["", "a" * 65, "a%00b", "..%2F..", "a'b", "%FF", "ä"])
def test_odd_sessions_are_refused(the_target: str, session: str) -> None:
    guest = Guest(the_target).arrives()
    guest.session = session
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        guest.connects()
    assert refused.value.status_code == 400
    guest.leaves()
