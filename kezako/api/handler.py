"""Base class of all API requests: authorisation, limits, and errors as sentences."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Protocol

from tornado.http1connection import HTTP1Connection
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, stream_request_body
from traitlets.log import get_logger

from kezako.api.bodies import JSON
from kezako.api.concurrency import Busy, ConcurrencyLimit, neighbourhood
from kezako.api.metrics import Metrics
from kezako.api.rules import HEADERS, SENTENCES, TOO_SLOW, Refusal, Rules, as_json, length
from kezako.api.settings import MEGABYTE, ApiSettings

# A rejected body is read and discarded up to this size: a client that is still sending when the
# connection closes often does not see the error.
DRAINED = 128 * MEGABYTE  # bytes


class Shared(Protocol):
    """State that all requests of one server share; implemented by `routes.Api`."""

    settings: ApiSettings
    gate: ConcurrencyLimit
    metrics: Metrics


@stream_request_body
class ApiHandler(RequestHandler):
    """One request. Bodies are streamed, so that limits apply while they arrive."""

    methods: tuple[str, ...] = ("GET", "HEAD")
    open_to_all = False  # no token needed

    def initialize(self, api: Any) -> None:
        self.api: Shared = api
        self.rules = Rules(api.settings)
        self.body = bytearray()
        self.task: asyncio.Future[Any] | None = None  # cancelled when the client disconnects
        self._refusal: Refusal | None = None
        self._whole = False  # the body has been read
        self._address = ""
        self._timer: object | None = None
        self._latest = 0.0

    def check_xsrf_cookie(self) -> None:
        """Not needed: the API reads no cookies, and `check_origin` rejects other sites."""

    def compute_etag(self) -> None:
        return None

    def prepare(self) -> None:
        """Reject the request before its body is read, if the headers are enough for that."""
        try:
            if self.request.method not in (*self.methods, "OPTIONS"):
                raise HTTPError(405)
            if self.request.method != "OPTIONS":
                self._check_token()
            if self.request.method == "POST":
                self.rules.check_origin(self.request.headers, self.request.host)
                self.rules.check_size(self.request.headers)
                self.check()
                self._enter()
            else:
                self._whole = True  # tornado reads any body before it calls the method
        except Refusal as refusal:
            self._refuse(refusal)

    def check(self) -> None:
        """More checks of the headers, for subclasses. Raises `Refusal`."""

    def data_received(self, chunk: bytes) -> None:
        if self.request.method != "POST":
            return
        self._wait_for_more()
        if self._refusal is not None:
            return
        try:
            self.api.gate.take(len(chunk))
        except Busy:
            self._refuse(Refusal.come_again())
            return
        self.body += chunk
        if len(self.body) > self.rules.bound(self.request.headers):
            self._refuse(self.rules.too_large(self.request.headers))

    async def head(self) -> None:
        answering = self.get()
        if answering is not None:
            await answering

    def options(self) -> None:
        """Answer a CORS preflight request."""
        headers = {"Allow": ", ".join((*self.methods, "OPTIONS"))}
        if self.rules.allowed_origin(self.request.headers):
            headers["Access-Control-Allow-Methods"] = ", ".join(self.methods)
            headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            headers["Access-Control-Max-Age"] = "600"
        self.say(204, None, headers)

    def received(self) -> None:
        """Call it when the whole body is read. Raises `Refusal` if it was rejected earlier."""
        self._whole = True
        self._stop_waiting()
        if self._refusal is not None:
            raise self._refusal

    def say(
        self,
        status: int,
        message: object | None,  # JSON, or None for no body
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send the response and finish."""
        if message is None:
            self._send(status, b"", None, headers)
            return
        self._send(status, as_json(message), JSON, headers)

    def send_text(self, text: bytes, content_type: str) -> None:
        self._send(200, text, content_type, None)

    def refuse(self, refusal: Refusal) -> None:
        self.say(refusal.status, {"error": str(refusal)}, refusal.headers)

    def write_error(self, status_code: int, **context: Any) -> None:
        """Answer errors that tornado found, without traceback."""
        headers = {"Allow": ", ".join(self.methods)} if status_code == 405 else {}
        sentence = SENTENCES.get(status_code, SENTENCES[400 if status_code < 500 else 500])
        self.say(status_code, {"error": sentence}, headers)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log our own errors with their traceback, but not who asked for what."""
        if not isinstance(value, HTTPError | StreamClosedError):
            get_logger().error("%s failed.", type(self).__name__, exc_info=(typ, value, tb))

    def on_finish(self) -> None:
        self.api.metrics.requests.labels(str(self.get_status())).inc()
        self._leave()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self.task is not None:
            self.task.cancel()
        self._leave()

    def _send(
        self, status: int, body: bytes, kind: str | None, headers: Mapping[str, str] | None
    ) -> None:
        if self._finished:
            return
        self.set_status(status)
        for name, value in HEADERS.items():
            self.set_header(name, value)
        if kind:
            self.set_header("Content-Type", kind)
        else:
            self.clear_header("Content-Type")
        if origin := self.rules.allowed_origin(self.request.headers):
            self.set_header("Access-Control-Allow-Origin", origin)
        if not self._whole:
            # Tornado closes the connection without this header.
            self.set_header("Connection", "close")
        for name, value in (headers or {}).items():
            self.set_header(name, value)
        self.finish(body or None)

    def _check_token(self) -> None:
        if not self.open_to_all:
            self.rules.check_token(self.request.headers)

    def _enter(self) -> None:
        address = neighbourhood(self.request.remote_ip or "")
        try:
            self.api.gate.enter(address)
        except Busy:
            raise Refusal.come_again() from None
        self._address = address
        self._latest = time.monotonic() + self.api.settings.upload
        self._wait_for_more()
        # Our own limit answers with a sentence; tornado's only closes the connection.
        self._accept(self.rules.bound(self.request.headers) + DRAINED)

    def _refuse(self, refusal: Refusal) -> None:
        """Send the refusal now, or after the body that is being sent has been discarded."""
        self._drop_body()
        headers = self.request.headers
        promised = length(headers)
        coming = promised or "Transfer-Encoding" in headers
        self._accept(max(promised, DRAINED))
        if not coming or "Expect" in headers or not 0 < promised <= DRAINED:
            self.refuse(refusal)
            return
        self._refusal = refusal
        self._latest = self._latest or time.monotonic() + self.api.settings.upload
        self._wait_for_more()

    def _accept(self, size: int) -> None:
        assert isinstance(self.request.connection, HTTP1Connection)
        self.request.connection.set_max_body_size(size)

    def _wait_for_more(self) -> None:
        self._stop_waiting()
        delay = min(self.api.settings.silence, self._latest - time.monotonic())
        self._timer = IOLoop.current().call_later(max(0.0, delay), self._too_slow)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            IOLoop.current().remove_timeout(self._timer)
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        self.refuse(Refusal(408, TOO_SLOW))

    def _drop_body(self) -> None:
        self.api.gate.give(len(self.body))
        self.body = bytearray()

    def _leave(self) -> None:
        self._stop_waiting()
        self._drop_body()
        if self._address:
            self.api.gate.leave(self._address)
            self._address = ""
