"""Visitors without a browser: many in one process, so that only the server is measured."""

from __future__ import annotations

import asyncio
import html
import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from tests.serve import visitor
from tests.serve.visitor import Visitor

PATIENCE = 300  # timeout of one step in seconds: stock pages are slow on a busy machine
AT_ONCE = 1000  # connections of this process
_AGAIN = re.compile(r'http-equiv="refresh" content="([\d.]+); url=([^"]*)"')


class Turned(Exception):
    """The server has no place for this visitor, and said so."""


class Light(Protocol):
    """The interface of every peer's visitor."""

    async def opens(self) -> Any: ...

    async def connects(self) -> Any: ...

    async def classifies(self, name: str, content: bytes) -> str: ...

    def disappears(self) -> None: ...


def prepare() -> None:
    """Call it once per process, before its first visitor."""
    visitor.DEADLINE = PATIENCE
    AsyncHTTPClient.configure(None, max_clients=AT_ONCE, max_body_size=2**27)


class Patient(Visitor):
    """A visitor of a page that may be slow."""

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        await super().until(holds, what, seconds)


class Kezako(Patient):
    """A visitor who waits in the queue as a browser does, or leaves if there is one."""

    def __init__(self, address: str, waits: bool = False):
        super().__init__(address)
        self.waits = waits
        self.waited = 0  # requests for the waiting page

    async def opens(self) -> Kezako:
        while True:
            try:
                await super().opens()
                return self
            except HTTPClientError as error:
                if error.code != 503:
                    raise
                seconds, self.address = self._again(error)
            self.waited += 1
            await asyncio.sleep(seconds)

    def _again(self, error: HTTPClientError) -> tuple[float, str]:
        """After how many seconds the waiting page reloads, and its URL."""
        page = error.response.body.decode() if error.response else ""
        found = _AGAIN.search(page)
        if not self.waits or not found:
            said = re.search(r"<p>(.*?)</p>", page, re.S)
            raise Turned(html.unescape(said[1]) if said else f"status {error.code}") from error
        return float(found[1]), urljoin(self.address, html.unescape(found[2]))


class Stock(Patient):
    """A visitor of the stock notebook's page."""

    async def classifies(self, name: str, content: bytes) -> str:
        label = self._prediction()
        # Setting the same answer again would be no change, and the kernel would send nothing.
        await self.sets(label, {"value": ""})
        self.states[label]["value"] = ""
        await self.uploads(name, content)
        await self.presses("Classify")
        await self.until(lambda: bool(self.states[label]["value"]), "an answer")
        return str(self.states[label]["value"])

    def _prediction(self) -> str:
        """The id of the label below the button."""
        labels = [widget for widget, model in self.models.items() if model == "LabelModel"]
        return next(w for w in labels if self.states[w]["value"] != "Select your bear!")


class Gradio:
    """A visitor of Gradio's page, who sends the same requests as its script."""

    def __init__(self, address: str):
        self.address, self.session = address, uuid4().hex[:10]
        self._beat: asyncio.StreamWriter | None = None

    async def opens(self) -> Gradio:
        await self._ask("")
        return self

    async def connects(self) -> Gradio:
        config = json.loads(await self._ask("config"))
        calls = config["dependencies"]
        self._function = next(call["id"] for call in calls if call["api_name"] == "classify")
        parts = urlsplit(self.address)
        _, self._beat = await asyncio.open_connection(parts.hostname, parts.port)
        line = f"GET /gradio_api/heartbeat/{self.session} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
        self._beat.write(line.encode())  # the heartbeat lasts as long as the page is open
        return self

    async def classifies(self, name: str, content: bytes) -> str:
        path = await self._uploads(name, content)
        photo = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        joining = {
            "data": [photo], "fn_index": self._function, "session_hash": self.session,
            "event_data": None, "trigger_id": None,
        }  # fmt: skip
        await self._ask("gradio_api/queue/join?", json.dumps(joining).encode(), "application/json")
        events = await self._ask(f"gradio_api/queue/data?session_hash={self.session}")
        for line in events.splitlines():
            event = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
            if event.get("msg") == "process_completed" and event["success"]:
                return str(event["output"]["data"][0]["label"])
        raise AssertionError(f"No answer from Gradio: {events[-500:]}")

    def disappears(self) -> None:
        if self._beat is not None:
            self._beat.close()

    async def _uploads(self, name: str, content: bytes) -> str:
        mark = uuid4().hex
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{mark}--\r\n".encode()
        told = await self._ask("gradio_api/upload", body, f"multipart/form-data; boundary={mark}")
        return str(json.loads(told)[0])

    async def _ask(self, path: str, body: bytes | None = None, kind: str = "") -> str:
        request = HTTPRequest(
            self.address + path,
            method="GET" if body is None else "POST",
            body=body,
            headers={"Content-Type": kind} if kind else {},
            request_timeout=PATIENCE,
        )
        return (await AsyncHTTPClient().fetch(request)).body.decode()


LIGHT: dict[str, type[Any]] = {
    "stock": Stock,
    "preheated": Stock,
    "gradio": Gradio,
    "kezako": Kezako,
}


async def come(peer: str, address: str) -> Light:
    """A visitor whose page has opened and is connected."""
    visitor = LIGHT[peer](address)
    await visitor.opens()
    await visitor.connects()
    return visitor


async def all_classify(visitors: Sequence[Light], photo: bytes, at_once: int = 4) -> int:
    """How many visitors got an answer."""
    room = asyncio.Semaphore(at_once)

    async def one(number: int, visitor: Light) -> bool:
        async with room:
            try:
                return bool(await visitor.classifies(f"photo-{number}.jpg", photo))
            except Exception as error:
                print(f"No answer: {type(error).__name__} {error}"[:300], file=sys.stderr)
                return False

    return sum(await asyncio.gather(*(one(n, v) for n, v in enumerate(visitors))))


async def leave(peer: str, address: str, visitor: Any) -> None:
    """Close the tab; a kezako server is told, as by the page's script."""
    if peer == "kezako":
        root = "{0.scheme}://{0.netloc}/".format(urlsplit(address))
        goodbye = HTTPRequest(
            f"{root}voila/api/shutdown/{visitor.kernel}", method="POST", body=b"",
            request_timeout=PATIENCE,
        )  # fmt: skip
        await AsyncHTTPClient().fetch(goodbye)
    visitor.disappears()
