"""What all requests of the API have in common: who may ask, how much, and errors as sentences."""

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

# A refused body is read on and dropped up to here: a client that is still sending when the
# connection closes often loses the sentence that says why.
DRAINED = 128 * MEGABYTE  # bytes


class Shared(Protocol):
    """What every request of one server shares; `routes.Api` is it."""

    settings: ApiSettings
    gate: ConcurrencyLimit
    metrics: Metrics


@stream_request_body
class ApiHandler(RequestHandler):
    """One request. Bodies are streamed, so that their bounds hold while they come in."""

    methods: tuple[str, ...] = ("GET", "HEAD")
    open_to_all = False  # without the token

    def initialize(self, api: Any) -> None:
        self.api: Shared = api
        self.rules = Rules(api.settings)
        self.body = bytearray()
        self.task: asyncio.Future[Any] | None = None  # what a visitor who leaves gives up
        self._refusal: Refusal | None = None
        self._whole = False  # the body has been read
        self._address = ""
        self._timer: object | None = None
        self._latest = 0.0

    def check_xsrf_cookie(self) -> None:
        """Nothing to forge: the API reads no cookie, and `_check_origin` keeps other sites out."""

    def compute_etag(self) -> None:
        return None

    def prepare(self) -> None:
        """Refuse before the body is read, where the headers say enough."""
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
                self._whole = True  # a body would be read before the method is called
        except Refusal as refusal:
            self._refuse(refusal)

    def check(self) -> None:
        """What else the headers can be refused for. Raises `Refusal`."""

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
        """Tell a browser whether a script of another site may call."""
        headers = {"Allow": ", ".join((*self.methods, "OPTIONS"))}
        if self.rules.allowed_origin(self.request.headers):
            headers["Access-Control-Allow-Methods"] = ", ".join(self.methods)
            headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            headers["Access-Control-Max-Age"] = "600"
        self.say(204, None, headers)

    def received(self) -> None:
        """The whole body is here. Raises `Refusal` where it was refused before that."""
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
        """Answer and finish."""
        if message is None:
            self._send(status, b"", None, headers)
            return
        self._send(status, as_json(message), JSON, headers)

    def send_text(self, text: bytes, content_type: str) -> None:
        self._send(200, text, content_type, None)

    def refuse(self, refusal: Refusal) -> None:
        self.say(refusal.status, {"error": str(refusal)}, refusal.headers)

    def write_error(self, status_code: int, **context: Any) -> None:
        """Errors that tornado found; never their traceback."""
        headers = {"Allow": ", ".join(self.methods)} if status_code == 405 else {}
        sentence = SENTENCES.get(status_code, SENTENCES[400 if status_code < 500 else 500])
        self.say(status_code, {"error": sentence}, headers)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """What went wrong here, with its traceback; who asked for what stays out of the log."""
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
            self.set_header("Connection", "close")  # tornado closes then, and does not say so
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
        # Ours are the bounds that end in a sentence; tornado's only closes the connection.
        self._accept(self.rules.bound(self.request.headers) + DRAINED)

    def _refuse(self, refusal: Refusal) -> None:
        """Say so now, or when the body that is on its way has been dropped."""
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
