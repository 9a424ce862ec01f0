"""The HTTP server: limits on connections, headers and bodies, and the client's address."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from kezako.serve import memory
from kezako.serve.limits import MIB, Limits

HEADERS = 16 * 1024  # bytes of all headers together
# Seconds from the first byte to the last; also how long a connection may be idle.
HEADERS_WITHIN = 30
BODY = 64 * 1024  # bytes; a handler that accepts more streams the body and sets its own limit
BODY_WITHIN = 180  # seconds, for a photo from a slow phone


class Listener(HTTPServer):
    """Closes the oldest connections without a whole request if there are too many."""

    def initialize(self, application: Any, limits: Limits) -> None:  # type: ignore[override]
        super().initialize(
            application,
            xheaders=limits.behind_proxy,
            max_header_size=HEADERS,
            idle_connection_timeout=HEADERS_WITHIN,
            max_body_size=BODY,
            body_timeout=BODY_WITHIN,
            max_buffer_size=limits.message + MIB,
        )
        self._most = min(1024, memory.descriptors() // 2)
        self._unfinished: dict[Any, None] = {}  # connections without a whole request, oldest first

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        self._unfinished.pop(server_conn, None)
        self._unfinished[server_conn] = None
        while len(self._unfinished) > self._most:
            oldest = next(iter(self._unfinished))
            del self._unfinished[oldest]
            oldest.stream.close()
        return _Reading(super().start_request(server_conn, request_conn), self, server_conn)

    def finished(self, server_conn: object) -> None:
        self._unfinished.pop(server_conn, None)

    def on_close(self, server_conn: object) -> None:
        self.finished(server_conn)
        super().on_close(server_conn)


class _Reading(HTTPMessageDelegate):
    """Notes when a request has been read, and drops headers that imitate a proxy's."""

    def __init__(self, inner: HTTPMessageDelegate, listener: Listener, connection: object) -> None:
        self._inner, self._listener, self._connection = inner, listener, connection

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        # Tornado prefers these to X-Forwarded-For, but routers pass them on from the client.
        for name in ("X-Real-Ip", "X-Scheme"):
            headers.pop(name, None)
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        self._listener.finished(self._connection)
        self._inner.finish()

    def on_connection_close(self) -> None:
        self._inner.on_connection_close()
