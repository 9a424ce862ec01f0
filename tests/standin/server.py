"""The stand-in itself: a thread with an event loop, and what a test says to it."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import trustme

from kezako.gather.settings import Settings
from tests.standin import engines
from tests.standin.messages import Reply, Request
from tests.standin.pictures import Pictures, address
from tests.standin.plays import Play, Seen, service_of
from tests.standin.trouble import JPEG, TROUBLES, Trouble
from tests.standin.wire import Wire

_FAILURES = ("status-404", "status-500", "html", "drop")
_ROOT = Path(__file__).parents[2]
# Where in the list of pictures an engine begins: what one source gives, the next has not all again.
_BEGINS = {"duckduckgo": 0.0, "bing": 0.0, "openverse": 0.33, "wikimedia": 0.67}


def shared_photos() -> Path | None:
    """`KEZAKO_PHOTOS`, else ../shared/photos beside the repository, else None."""
    folder = Path(os.environ.get("KEZAKO_PHOTOS") or _ROOT.parent / "shared" / "photos")
    return folder if folder.is_dir() else None


class Standin:
    """Search engines and picture hosts on 127.0.0.1; see the package's docstring."""

    def __init__(
        self,
        photos: Path | None = None,  # folders RECIPE/CLASS of photos; None: all are drawn
        latency: float = 0.0,  # seconds before every answer
        failures: float = 0.0,  # share of the picture addresses that fail, 0 to 1
        drawn: int = 120,  # pictures for a query that no photo fits
        port: int = 0,  # of the proxy; 0: an unused one
    ):
        self.pictures = Pictures(photos, drawn)
        self.latency, self.failures, self.port = latency, failures, port
        self._folder = tempfile.TemporaryDirectory(prefix="standin-")
        self.ca = Path(self._folder.name) / "ca.pem"
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(str(self.ca))
        self._loop = asyncio.new_event_loop()
        self._wire = Wire(self._answer, self._authority)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.reset()

    def start(self) -> Standin:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._wire.listen(self.port), self._loop).result(30)
        self.port = self._wire.port
        return self

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._wire.close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()
        self._folder.cleanup()

    def reset(self) -> None:
        """Forget all plays, offers and requests."""
        self.requests: list[Seen] = []
        self._plays: list[Play] = []
        self._offers: dict[str, list[str]] = {}
        self._trouble = Trouble()
        self._open: Counter[str] = Counter()
        self._most: Counter[str] = Counter()
        self.login: str | None = None

    @property
    def login(self) -> str | None:
        """The NAME:PASSWORD that the proxy wants."""
        return self._wire.login

    @login.setter
    def login(self, login: str | None) -> None:
        self._wire.login = login

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, direct: bool = False, **changes: Any) -> Settings:
        """`Settings` that lead here; `direct`: by addresses on loopback instead of the proxy."""
        return replace(Settings.from_environment(self.environment(direct)), **changes)

    def environment(self, direct: bool = False) -> dict[str, str]:
        """The same for a subprocess, as environment variables."""
        way = {"KEZAKO_ALLOW_PRIVATE": "1"} if direct else {"KEZAKO_PROXY": self.proxy}
        return {"KEZAKO_CA": str(self.ca), "KEZAKO_PAUSE": "0", **way}

    def play(self, where: str, **how: Any) -> None:
        """From now on, answer `where` like this."""
        self._plays.insert(0, Play(where, **how))

    def offer(self, query: str, urls: list[str]) -> None:
        """What every engine finds for exactly this query."""
        self._offers[query] = urls

    def urls(self, query: str, count: int, direct: bool = False) -> list[str]:
        """Addresses of `count` pictures; beyond what there is, they come again by other names."""
        paths = self.pictures.paths(query)
        named = (
            paths[number]
            if number < len(paths)
            else f"~{number // len(paths)}.".join(paths[number % len(paths)].rsplit(".", 1))
            for number in range(count)
        )
        return [address(path, self.proxy if direct else None) for path in named]

    def trouble(self, kind: str, name: str = "0", direct: bool = False) -> str:
        """An address that goes wrong in this way; another `name` is another address."""
        if kind not in TROUBLES:
            raise ValueError(f"{kind!r} is no trouble; known are {', '.join(TROUBLES)}")
        base = self.proxy if direct else "https://trouble.test"
        return f"{base}/trouble/{kind}/{name}.jpg"

    def fails(self, url: str) -> str | None:
        """In which way `failures` makes this picture fail, or None."""
        number = zlib.crc32(url.split("/", 3)[-1].encode())
        if number % 10_000 >= self.failures * 10_000:
            return None
        return _FAILURES[number // 10_000 % len(_FAILURES)]

    def count(self, where: str = "*", path: str = "") -> int:
        """How many requests came for a service or host and the beginning of a path."""
        return sum(
            where in (seen.service, seen.host, "*") and seen.path.startswith(path)
            for seen in list(self.requests)
        )

    def most_at_once(self, where: str = "*") -> int:
        """The most requests to a service, a host or all of them that were open together."""
        return self._most[where]

    async def _answer(self, request: Request) -> Reply:
        service = service_of(request.host)
        names = (service, request.host, "*")
        still_open = self._open  # a reset while this one waits must not count it
        for name in names:
            still_open[name] += 1
            self._most[name] = max(self._most[name], still_open[name])
        try:
            reply = await self._reply(service, request)
        finally:
            for name in names:
                still_open[name] -= 1
        status = 0 if reply.drop else reply.status
        self.requests.append(
            Seen(
                service,
                request.host,
                request.path,
                request.query,
                status,
                time.monotonic(),
                request.protocol,
                request.headers,
                request.proxied,
            )
        )
        return reply

    async def _reply(self, service: str, request: Request) -> Reply:
        if self.latency:
            await asyncio.sleep(self.latency)
        play = next((play for play in self._plays if play.takes(request)), None)
        if play and (reply := await play.reply()):
            return reply
        if service == "pictures":
            return await self._picture(request)
        return engines.answer(service, request, self._results(service, request, play))

    def _results(self, service: str, request: Request, play: Play | None) -> engines.Results:
        query = engines.query_of(request)
        if play and play.empty:
            urls = []
        elif query in self._offers:
            urls = self._offers[query]
        else:
            paths = self.pictures.paths(query)
            urls = [address(path) for path in paths[int(_BEGINS[service] * len(paths)) :]]
        return engines.Results(urls, untitled=bool(play and play.untitled))

    async def _picture(self, request: Request) -> Reply:
        if request.path.startswith("/trouble/"):
            return await self._trouble.answer(request.path)
        if failure := self.fails(f"http://host{request.path}"):
            return await self._trouble.answer(f"/trouble/{failure}/{request.path}")
        jpeg = self.pictures.read(request.path)
        if jpeg is None:
            return Reply(b"No such picture", 404)
        return Reply(jpeg, content_type=JPEG)
