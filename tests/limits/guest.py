"""A visitor without a browser: opens the page, talks over its websocket, says goodbye."""

from __future__ import annotations

import http.client
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import websocket

DEADLINE = 90  # seconds that one step may take on a busy machine
_KERNEL = re.compile(r'"kernelId":\s*"([0-9a-f-]{36})"')
_STATE = re.compile(r'<script type="application/json" id="kezako-state">(.*?)</script>', re.S)
_AGAIN = re.compile(r'http-equiv="refresh" content="[\d.]+; url=([^"]*)"')


@dataclass
class Answer:
    """What a request brought."""

    status: int
    headers: dict[str, str]  # lower-case names
    text: str

    @property
    def kernel(self) -> str:
        found = _KERNEL.search(self.text)
        assert found, f"no kernel id in a page of status {self.status}"
        return found[1]

    @property
    def again(self) -> str:
        """The address that a waiting page looks at next."""
        found = _AGAIN.search(self.text)
        assert found, f"no waiting page, but {self.status}: {self.text[-300:]}"
        return found[1].replace("&amp;", "&")


def ask(
    address: str,
    path: str = "",  # after the address; may begin with "?"
    method: str = "GET",
    body: bytes | None = None,
    /,
    **headers: str,  # with _ for -
) -> Answer:
    """One request on a connection of its own."""
    parts = urlsplit(address)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, parts.path + path, body, named)
        reply = connection.getresponse()
        text = reply.read().decode("utf-8", "replace")
        return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, text)
    finally:
        connection.close()


@dataclass
class Guest:
    """One visitor. `arrives` before all else."""

    address: str
    kernel: str = ""
    page: str = ""  # its HTML
    session: str = field(default_factory=lambda: str(uuid.uuid4()))
    socket: Any = None

    def arrives(self, path: str = "", **headers: str) -> Guest:
        """Come in at once."""
        return self._enter(ask(self.address, path, **headers))

    def waits(self, path: str = "", **headers: str) -> Guest:
        """Come in as a browser does, which looks at the waiting page's address again and again."""
        page = ask(self.address, path, **headers)
        end = time.monotonic() + DEADLINE
        while page.status == 503 and time.monotonic() < end:
            time.sleep(0.2)
            page = ask(self.address, page.again.lstrip("/"), **headers)
        return self._enter(page)

    def _enter(self, page: Answer) -> Guest:
        assert page.status == 200, f"{page.status}: {page.text[-300:]}"
        self.kernel, self.page = page.kernel, page.text
        return self

    def connects(self, **settings: Any) -> Guest:
        """Open the websocket, in the plain format."""
        self.socket = websocket.create_connection(
            self.channels(), timeout=DEADLINE, **{"origin": self.address.rstrip("/"), **settings}
        )
        return self

    def channels(self) -> str:
        where = self.address.replace("http:", "ws:")
        return f"{where}api/kernels/{self.kernel}/channels?session_id={self.session}"

    def widget(self, model: str, **state: object) -> str:
        """The id of the widget of that model whose state has these values."""
        found = _STATE.search(self.page)
        assert found, "the page holds no widgets"
        for ident, widget in json.loads(found[1]).items():
            if widget["model_name"] == model and state.items() <= widget["state"].items():
                return str(ident)
        raise AssertionError(f"The page has no {model} with {state}.")

    def presses(self, description: str) -> str:
        """Press the button that is called so."""
        button = self.widget("ButtonModel", description=description)
        return self.touches(button, {"method": "custom", "content": {"event": "click"}})

    def sees(self, ident: str, name: str) -> Any:
        """The next value of a widget's `name` that its kernel tells."""
        told = self.hears(
            lambda m: (
                m["header"]["msg_type"] == "comm_msg"
                and m["content"]["comm_id"] == ident
                and name in m["content"]["data"].get("state", {})
            )
        )
        return told["content"]["data"]["state"][name]

    def touches(self, ident: str, data: dict[str, Any], buffers: tuple[bytes, ...] = ()) -> str:
        """Send a widget something."""
        return self.says("comm_msg", {"comm_id": ident, "data": data}, buffers)

    def says(
        self, kind: str, content: dict[str, Any], buffers: tuple[bytes, ...] = (), **other: Any
    ) -> str:
        """Send a message; its id. `other`: parts in place of the usual ones."""
        ident = str(uuid.uuid4())
        header = {
            "msg_id": ident, "msg_type": kind, "session": self.session, "username": "",
            "version": "5.3", "date": "2026-01-01T00:00:00Z",
        }  # fmt: skip
        message = {
            "header": header, "parent_header": {}, "metadata": {}, "content": content,
            "channel": "shell",
        }  # fmt: skip
        text = json.dumps({**message, **other})
        if buffers:
            self.socket.send_binary(binary(text, buffers))
        else:
            self.socket.send(text)
        return ident

    def hears(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next message that is `wanted`."""
        for code, data in self._frames():
            assert code != websocket.ABNF.OPCODE_CLOSE, f"The connection was closed: {data!r}"
            message = read(data)
            if wanted(message):
                return message
        raise AssertionError("The answer did not come.")

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """What arrives before the deadline, without pings."""
        end = time.monotonic() + DEADLINE
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            code, data = self.socket.recv_data(control_frame=True)
            if code not in (websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_PONG):
                yield code, data

    def is_answered(self) -> bool:
        """Whether the kernel answers."""
        ident = self.says("kernel_info_request", {})
        answer = self.hears(
            lambda m: (
                (m["header"]["msg_type"], m["parent_header"].get("msg_id"))
                == ("kernel_info_reply", ident)
            )
        )
        return bool(answer["content"]["status"] == "ok")

    def is_dismissed(self) -> tuple[int, str]:
        """Wait until the server closes the connection: with which code, and what it says."""
        try:
            for code, data in self._frames():
                if code == websocket.ABNF.OPCODE_CLOSE:
                    return int.from_bytes(data[:2], "big"), data[2:].decode()
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return 1006, ""
        raise AssertionError("The server did not close the connection.")

    def leaves(self, **headers: str) -> Answer:
        """Close the tab, as the page's script tells it."""
        return ask(self.address, f"voila/api/shutdown/{self.kernel}", "POST", b"", **headers)

    def is_gone(self) -> bool:
        """Whether its kernel has ended, or is about to."""
        return ask(self.address, f"api/kernels/{self.kernel}").status == 404


def binary(text: str, buffers: tuple[bytes, ...]) -> bytes:
    """A message with buffers in the plain format."""
    parts = [text.encode(), *buffers]
    starts = [4 * (len(parts) + 1)]
    for part in parts:
        starts.append(starts[-1] + len(part))
    numbers = [len(parts), *starts[:-1]]
    return b"".join([*(n.to_bytes(4, "big") for n in numbers), *parts])


def read(raw: bytes) -> dict[str, Any]:
    """A message in the plain format; without its buffers."""
    if raw[:1] != b"{":
        count = int.from_bytes(raw[:4], "big")
        starts = [int.from_bytes(raw[4 * n : 4 * n + 4], "big") for n in range(1, count + 1)]
        raw = raw[starts[0] : starts[1] if count > 1 else len(raw)]
    return dict(json.loads(raw))


def visit(address: str, **headers: str) -> None:
    """A whole normal visit: the server is well."""
    guest = Guest(address).arrives(**headers).connects()
    assert guest.is_answered()
    guest.socket.close()
    guest.leaves()
