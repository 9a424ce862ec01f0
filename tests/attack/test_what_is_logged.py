"""Nothing that a stranger sends makes the log lie, or fills it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from tests.attack.raw import get, send
from tests.attack.test_hostile_pictures import a_small_picture, upload
from tests.limits.guest import Guest, ask

FORGED = "\x1b[31m\x07\r\n[Server] ERROR | forged\x9b31m\u202e\u2028"
LINE = "\x1b[31m\t\x9b31m[Server] ERROR | forged"
TIMES = 30  # more than are written of one kind, and fewer than end a visit
MOST = 60_000  # bytes that they leave in the log


@pytest.fixture
def the_log(a_server: str, a_besieged_home: Path) -> Iterator[Callable[[], str]]:
    """What was written since the test began; looked at again when it ends."""
    log = next(a_besieged_home.glob("*.log"))
    before = log.stat().st_size

    def written() -> str:
        return log.read_bytes()[before:].decode()

    yield written
    text = written()
    assert len(text) < MOST
    assert not {sign for sign in text if not sign.isprintable()} - {"\n"}
    assert not [line for line in text.splitlines() if line.startswith("[Server] ERROR | forged")]


WIDGET: dict[str, tuple[str, dict[str, Any]]] = {
    "a text that is none": ("LabelModel", {"method": "update", "state": {"value": [FORGED] * 999}}),
    "a long name": ("LabelModel", {"method": "update", "state": {"layout": FORGED * 999}}),
    "a state that is none": ("ButtonModel", {"method": "update", "state": FORGED}),
    "a file that is none": ("FileUploadModel", {"method": "update", "state": {"value": [FORGED]}}),
    "buffers that are not there": (
        "ButtonModel",
        {"method": "update", "state": {"style": 1}, "buffer_paths": [[FORGED, 5]]},
    ),
    "a message of its own": ("ButtonModel", {"method": "custom", "content": {"event": FORGED}}),
    "another message of its own": ("ButtonModel", {"method": "custom", "content": FORGED}),
}


@pytest.mark.parametrize("case", WIDGET)
def test_of_a_widget(a_server: str, the_log: Callable[[], str], case: str) -> None:
    guest = Guest(a_server).arrives().connects()
    model, data = WIDGET[case]
    for _ in range(TIMES):
        guest.touches(guest.widget(model), data)
    assert guest.is_answered()
    guest.leaves()


def test_of_a_widget_made_by_a_page(the_target: str, the_log: Callable[[], str]) -> None:
    guest = Guest(the_target).arrives().connects()
    names: tuple[str, ...] = ("_model_module", "_model_module_version", "_model_name")
    names += ("_view_module", "_view_module_version", "_view_name")
    for number in range(TIMES):
        state = dict.fromkeys(names, FORGED) if number % 2 else {"value": FORGED}
        guest.says(
            "comm_open",
            {"comm_id": f"c{number}", "target_name": "jupyter.widget", "data": {"state": state}},
            metadata={"version": "2.0" if number % 3 else FORGED},
        )
    assert guest.is_answered()
    guest.leaves()


@pytest.mark.parametrize(
    "message",
    [{"content": {"comm_id": FORGED, "data": {"method": "update"}}},
     {"content": {"comm_id": "a", "data": {"method": FORGED}}},
     {"content": {"comm_id": "a", "data": {FORGED: FORGED}}},
     {"channel": FORGED},
     {"header": {"msg_id": "a", "session": "s", "msg_type": FORGED}},
     {"header": {"msg_id": FORGED, "session": "s", "msg_type": "comm_msg"}}],
    ids=["comm", "method", "no method", "channel", "type", "id"],
)  # fmt: skip
def test_of_a_message(the_target: str, the_log: Callable[[], str], message: dict[str, Any]) -> None:
    for _ in range(3):
        guest = Guest(the_target).arrives().connects()
        with contextlib.suppress(ConnectionError, websocket.WebSocketException):
            for _ in range(TIMES):
                guest.says("comm_msg", **{"content": {"comm_id": "a", "data": {}}, **message})
        assert guest.is_dismissed()[0] in (4403, 1006)
    assert the_log().count("A visitor was refused") == 3


def test_of_a_websocket(the_target: str, the_log: Callable[[], str]) -> None:
    guest = Guest(the_target).arrives()
    for _ in range(TIMES):
        with pytest.raises(websocket.WebSocketBadStatusException):
            guest.connects(origin=f"https://\x9b31m{'x' * 3000}")
        for settings in ({"subprotocols": [LINE]}, {"header": [f"User-Agent: {LINE}"]}):
            with contextlib.suppress(websocket.WebSocketException, OSError):
                guest.connects(**settings)
    guest.leaves()
    assert 0 < the_log().count("Blocking Cross Origin") <= 10
    guest = Guest(the_target).arrives().connects()
    guest.socket.close(1000, FORGED.encode())
    guest.leaves()


REQUESTS = [
    get(f"/?model={LINE}", f"User-Agent: {LINE}", f"X-Forwarded-For: {LINE}", f"Referer: {LINE}"),
    get("/?model=%1b[31m%0d%0a[Server]%20ERROR%20|%20forged"),
    get(f"/{LINE}"),
    get(f"/api/{LINE}?model={LINE}", f"Authorization: Bearer {LINE}"),
    get("/api/predict?model=%ff%1b%0d%0aforged"),
    get("/", f"Cookie: a={LINE}"),
    get("/", host=LINE),
    f"{LINE} / HTTP/1.1\r\nHost: x\r\n\r\n".encode("latin-1"),
    f"GET / HTTP/{LINE}\r\nHost: x\r\n\r\n".encode("latin-1"),
    f"GET / HTTP/1.1\r\n{LINE}: x\r\n\r\n".encode("latin-1"),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_of_a_request(the_target: str, the_log: Callable[[], str], request_: bytes) -> None:
    for _ in range(TIMES):
        send(the_target, request_, hangs_up=True)


BODIES = {
    "a type": (f"multipart/form-data; boundary={LINE}", b"--"),
    "a charset": (f"application/json; charset={LINE}", b"{}"),
    "a part": (
        "multipart/form-data; boundary=b",
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{LINE}"\r\n'
        f"X: {FORGED}\r\n\r\n{FORGED}\r\n--b--\r\n".encode(),
    ),
    "JSON": ("application/json", f'{{"picture": "{LINE}", "{LINE}": 1}}'.encode()),
    "a picture": ("image/png", a_small_picture()[:33] + FORGED.encode()),
    "text in a picture": (
        "image/tiff",
        b"II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0\x40\0\0\0\x1a\0\0\0\0\0\0\0" + FORGED.encode() * 4,
    ),
}


@pytest.mark.parametrize("case", BODIES)
@pytest.mark.parametrize("path", ["api/predict", ""])
def test_of_a_body(the_target: str, the_log: Callable[[], str], case: str, path: str) -> None:
    kind, body = BODIES[case]
    for _ in range(TIMES):
        try:
            assert ask(the_target, path, "POST", body, Content_Type=kind).status < 500
        except ConnectionResetError:
            # This head is refused, and the server may close before the body has come.
            assert case in ("a type", "a charset")


def test_of_a_photo(the_target: str, the_log: Callable[[], str]) -> None:
    guest = Guest(the_target).arrives().connects()
    for _ in range(5):
        assert "not a picture" in upload(guest, FORGED, b"no picture")
        upload(guest, FORGED, BODIES["text in a picture"][1])
    guest.leaves()
