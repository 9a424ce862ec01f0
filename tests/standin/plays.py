"""What a test asks the stand-in to do, and what the stand-in saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from tests.standin.messages import Reply, Request

HTML = b"<!doctype html><title>Not here</title><p>Please turn on JavaScript.</p>"
HANG = 3600.0  # seconds

_SERVICES = {
    "duckduckgo.com": "duckduckgo",
    "www.bing.com": "bing",
    "api.openverse.org": "openverse",
    "commons.wikimedia.org": "wikimedia",
}


def service_of(host: str) -> str:
    """The name under which `play` and `count` know a host."""
    return _SERVICES.get(host, "pictures")


@dataclass(frozen=True)
class Seen:
    """One request, in the order in which they came."""

    service: str
    host: str
    path: str
    query: Mapping[str, str]
    status: int  # 0 where the connection was dropped
    at: float  # seconds on the stand-in's monotonic clock
    protocol: str  # "HTTP/1.1" or "HTTP/2"
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    proxied: bool = True  # false where it was asked without the proxy


@dataclass
class Play:
    """One `standin.play(...)`; its keywords are described in the package's docstring."""

    where: str
    query: str = ""
    path: str = ""
    times: int | None = None
    after: int = 0
    status: int = 200
    retry_after: int | str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str | None = "text/html; charset=utf-8"
    redirect: str | None = None
    empty: bool = False
    untitled: bool = False
    html: bool = False
    drop: bool = False
    raw: bytes | None = None
    hang: bool = False
    endless: bool = False
    drip: float | None = None
    latency: float = 0.0

    def takes(self, request: Request) -> bool:
        """Whether this play answers `request`; counts it against `after` and `times`."""
        if not self._fits(request):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
            return self.times >= 0
        return True

    def _fits(self, request: Request) -> bool:
        names = (service_of(request.host), request.host, "*")
        words = " ".join(request.query.get(key, "") for key in ("q", "gsrsearch")).casefold()
        return (
            self.where in names
            and request.path.startswith(self.path)
            and set(self.query.casefold().split()) <= set(words.split())
        )

    async def reply(self) -> Reply | None:
        """This play's own answer, or None where the real one is only bent or delayed."""
        await asyncio.sleep(HANG if self.hang else self.latency)
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.raw is not None:
            return Reply(raw=self.raw)
        if self.redirect is not None:
            return Reply(status=302, headers=headers | {"Location": self.redirect})
        if self.endless or self.drip is not None:
            return Reply(stream=pour(self.drip), headers=headers, content_type="image/jpeg")
        if self.drop or self.html or self.body is not None or self.status != 200:
            body = HTML if self.body is None else self.body
            return Reply(body, self.status, self.content_type, headers, drop=self.drop)
        return None


async def pour(
    drip: float | None,  # seconds between bytes; None pours as fast as it is drunk
) -> AsyncIterator[bytes]:
    """A body without an end that begins as a JPEG does."""
    yield b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
    while True:
        # Even as fast as it can it pauses: drain() does not, once a client of TLS has gone, and the
        # loop would never come to tell so.
        await asyncio.sleep(drip or 0)
        yield b"\x01" if drip is not None else b"\x01" * 65_536
