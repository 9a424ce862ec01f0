"""What travels between the wire and those who answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

CHUNK = 65_536


@dataclass(frozen=True)
class Request:
    """One request, wherever it came in."""

    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    protocol: str = "HTTP/1.1"
    proxied: bool = True  # it came as to a proxy; all TLS does


@dataclass
class Reply:
    """What to answer; the last four say how to answer wrongly."""

    body: bytes = b""
    status: int = 200
    content_type: str | None = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None  # instead of `body`, without a length
    length: int | None = None  # a Content-Length that is not the body's
    drop: bool = False  # close without an answer
    raw: bytes | None = None  # these bytes instead of an answer in HTTP/1.1, then close


Answer = Callable[[Request], Awaitable[Reply]]
