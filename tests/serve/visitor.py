"""A visitor without a browser: opens a page, works its widgets over the websocket, and leaves.

For tests and for load: many of them fit in one event loop.

    async with Visitor(address) as visitor:
        sentence = await visitor.classifies("bear.jpg", content)
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

from jupyter_server.services.kernels.connection.base import (
    deserialize_binary_message,
    serialize_binary_message,
)
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

DEADLINE = 60  # seconds that a busy machine may take for one step
LARGEST = 100 * 1024 * 1024  # bytes of a message that comes back
_KERNEL = re.compile(r'"kernelId":\s*"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')

ENDED = {"kezako-is-answer", "kezako-is-error", "kezako-is-again"}  # the page's stages
State = dict[str, Any]


class Gone(Exception):
    """The server ended the connection."""


class Visitor:
    """One visitor of the page at `address`; may be told its `headers`."""

    def __init__(self, address: str, headers: dict[str, str] | None = None):
        self.address, self.headers = address, headers or {}
        self.html = ""
        self.kernel = ""
        self.states: dict[str, State] = {}  # of widgets, by model id
        self.models: dict[str, str] = {}  # their model names
        self.statuses: list[str] = []  # that the kernel told of itself
        self.took: dict[str, float] = {}  # seconds by step
        self._session, self._chosen = uuid4().hex, 0
        self._socket: WebSocketClientConnection | None = None

    async def __aenter__(self) -> Self:
        await self.opens()
        await self.connects()
        return self

    async def __aexit__(self, *_: Any) -> None:
        self.disappears()

    async def opens(self) -> Self:
        """Get the page, which names the kernel."""
        begun = time.monotonic()
        request = HTTPRequest(self.address, headers=self.headers, request_timeout=DEADLINE)
        response = await AsyncHTTPClient().fetch(request)
        self.took["page"] = time.monotonic() - begun
        self.html = response.body.decode()
        found = _KERNEL.search(self.html)
        assert found, f"No kernel in the page:\n{self.html[:2000]}"
        self.kernel = found[1]
        return self

    async def connects(self) -> Self:
        """Open the websocket and learn the state of every widget."""
        begun = time.monotonic()
        parts = urlsplit(self.address)
        path = f"{parts.path.rsplit('/', 1)[0]}/api/kernels/{self.kernel}/channels"
        request = HTTPRequest(
            f"ws://{parts.netloc}{path}?session_id={self._session}",
            headers=self.headers,
            connect_timeout=DEADLINE,
        )
        self._socket = await websocket_connect(request, max_message_size=LARGEST)
        control = uuid4().hex
        opening = {"comm_id": control, "target_name": "jupyter.widget.control", "data": {}}
        await self.sends("comm_open", opening, metadata={"version": "1.0.0"})
        await self.sends("comm_msg", {"comm_id": control, "data": {"method": "request_states"}})
        await self.until(lambda: bool(self.states), "the widgets' states")
        self.took["widgets"] = time.monotonic() - begun
        return self

    async def leaves(self) -> None:
        """Close the tab: its last words end the kernel."""
        base = self.address.partition("?")[0].rsplit("/", 1)[0]
        parts = urlsplit(self.address)
        request = HTTPRequest(
            f"{base}/voila/api/shutdown/{self.kernel}",
            method="POST",
            body="",
            headers={"Origin": f"{parts.scheme}://{parts.netloc}", **self.headers},
            request_timeout=DEADLINE,
        )
        self.disappears()
        await AsyncHTTPClient().fetch(request, raise_error=False)

    def disappears(self) -> None:
        """Be gone without a word, as when the network is lost."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def sends(
        self,
        kind: str,
        content: dict[str, Any],
        channel: str = "shell",
        metadata: dict[str, Any] | None = None,
        buffers: list[bytes] | None = None,
    ) -> None:
        """Send a message of any type, allowed or not."""
        assert self._socket is not None
        header = {
            "msg_id": uuid4().hex, "msg_type": kind, "session": self._session,
            "username": "visitor", "version": "5.3", "date": "2026-01-01T00:00:00.000000Z",
        }  # fmt: skip
        message = {
            "header": header, "parent_header": {}, "metadata": metadata or {},
            "content": content, "channel": channel,
        }  # fmt: skip
        if buffers:
            packed = serialize_binary_message({**message, "buffers": buffers})
            await self._socket.write_message(packed, binary=True)
        else:
            await self._socket.write_message(json.dumps({**message, "buffers": []}))

    async def sets(
        self, widget: str, state: State, buffers: dict[str, bytes] | None = None
    ) -> None:
        """Change a widget's state; `buffers` by dotted path, such as "value.0.content"."""
        paths = [[_part(part) for part in path.split(".")] for path in buffers or {}]
        data = {"method": "update", "state": state, "buffer_paths": paths}
        content = {"comm_id": widget, "data": data}
        await self.sends("comm_msg", content, buffers=list((buffers or {}).values()))

    async def presses(self, description: str) -> None:
        """Click a button."""
        button = self.find("ButtonModel", description=description)
        data = {"method": "custom", "content": {"event": "click"}}
        await self.sends("comm_msg", {"comm_id": button, "data": data})

    async def uploads(self, name: str, content: bytes) -> None:
        """Choose a file in the page's FileUpload."""
        self._chosen += 1  # the same file again is a change, too
        chosen = {"name": name, "type": "", "size": len(content), "last_modified": self._chosen}
        await self.sets(
            self.find("FileUploadModel"), {"value": [chosen]}, {"value.0.content": content}
        )

    async def classifies(self, name: str, content: bytes) -> str:
        """Choose a photo; what the page says of it."""
        begun = time.monotonic()
        stage = self.states[self.find("VBoxModel", has_class="kezako-choice")]
        stage["_dom_classes"] = []
        await self.uploads(name, content)
        await self.until(lambda: _ended(stage), "an answer")
        self.took["answer"] = time.monotonic() - begun
        return str(self.states[self.answer]["value"])

    @property
    def answer(self) -> str:
        """The id of the label that answers."""
        return self.find("LabelModel", has_class="mathjax_ignore")

    def find(self, model: str, has_class: str = "", **state: Any) -> str:
        """The id of the first widget of this model whose state holds `state`."""
        for widget, name in self.models.items():
            known = self.states[widget]
            if (
                name == model
                and all(known.get(k) == v for k, v in state.items())
                and (not has_class or has_class in known.get("_dom_classes", ()))
            ):
                return widget
        raise AssertionError(f"No {model} with {state} among {sorted(self.models.values())}")

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
        """Take in messages until `holds`. Raises `Gone`, or `AssertionError` naming `what`."""
        end = time.monotonic() + seconds
        while not holds():
            left = end - time.monotonic()
            assert left > 0, f"Waited {seconds} s for {what}."
            try:
                await asyncio.wait_for(self.hears(), left)
            except TimeoutError:
                continue

    async def hears(self) -> dict[str, Any]:
        """Take in the next message. Raises `Gone` once the connection has ended."""
        assert self._socket is not None
        raw = await self._socket.read_message()
        if raw is None:
            raise Gone(f"{self._socket.close_code} {self._socket.close_reason or ''}")
        message = deserialize_binary_message(raw) if isinstance(raw, bytes) else json.loads(raw)
        self._take_in(message)
        return message

    def _take_in(self, message: dict[str, Any]) -> None:
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "status":
            self.statuses.append(content["execution_state"])
        elif kind == "comm_open" and content.get("target_name") == "jupyter.widget":
            self._learn(content["comm_id"], content["data"]["state"])
        elif kind == "comm_close":
            self.states.pop(content["comm_id"], None)
        elif kind == "comm_msg":
            data = content.get("data", {})
            if data.get("method") == "update_states":
                for widget, described in data["states"].items():
                    self._learn(widget, described["state"], described["model_name"])
            elif data.get("method") == "update":
                self._learn(content["comm_id"], data["state"])

    def _learn(self, widget: str, state: State, model: str = "") -> None:
        self.states.setdefault(widget, {}).update(state)
        self.models[widget] = model or self.states[widget].get("_model_name", "")


def _ended(stage: State) -> bool:
    """Whether the page is done with a photo."""
    return bool(ENDED & {*stage["_dom_classes"]})


def _part(part: str) -> str | int:
    return int(part) if part.isdigit() else part
