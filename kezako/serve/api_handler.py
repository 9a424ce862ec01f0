"""What all requests of the API have in common: who may ask, how much, and errors as sentences."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection
from tornado.ioloop import IOLoop
from tornado.web import HTTPError, RequestHandler, stream_request_body

from kezako.serve.api_settings import MEGABYTE
from kezako.serve.bodies import JSON
from kezako.serve.gate import COME_AGAIN, Busy
from kezako.serve.visitors import neighbourhood

if TYPE_CHECKING:
    from kezako.serve.api import Api

# A refused body is read on and dropped up to here: a client that is still sending when the
# connection closes often loses the sentence that says why.
DRAINED = 128 * MEGABYTE  # bytes
SENTENCES = {
    400: "This request is malformed.",
    404: "There is nothing here. The API is described at /api/openapi.json.",
    405: "This address does not take that method.",
    500: "Something went wrong here, and it was not your picture. Please try again.",
}
TOO_MANY = "Too many pictures are waiting here. Please come again in a moment."


class Refusal(Exception):
    """A request that gets a sentence instead of an answer."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None):
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}

    @classmethod
    def come_again(cls, seconds: int = COME_AGAIN, status: int = 429) -> Refusal:
        return cls(status, TOO_MANY, {"Retry-After": str(seconds)})


@stream_request_body
class ApiHandler(RequestHandler):
    """One request. Bodies are streamed, so that their bounds hold while they come in."""

    methods: tuple[str, ...] = ("GET", "HEAD")
    open_to_all = False  # without the token

    def initialize(self, api: Api) -> None:
        self.api = api
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
                self._check_origin()
                self._check_size()
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
        if len(self.body) > self._bound():
            self._refuse(self._too_large())

    async def head(self) -> None:
        answering = self.get()
        if answering is not None:
            await answering

    def options(self) -> None:
        """Tell a browser whether a script of another site may call."""
        headers = {"Allow": ", ".join((*self.methods, "OPTIONS"))}
        if self._allowed_origin():
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
        text = json.dumps(message, ensure_ascii=False, allow_nan=False)
        # A class name may hold half a surrogate pair, which UTF-8 does not know.
        self._send(status, text.encode("utf-8", "replace") + b"\n", JSON, headers)

    def send_text(self, text: bytes, content_type: str) -> None:
        self._send(200, text, content_type, None)

    def refuse(self, refusal: Refusal) -> None:
        self.say(refusal.status, {"error": str(refusal)}, refusal.headers)

    def write_error(self, status_code: int, **context: Any) -> None:
        """Errors that tornado found; never their traceback."""
        headers = {"Allow": ", ".join(self.methods)} if status_code == 405 else {}
        sentence = SENTENCES.get(status_code, SENTENCES[400 if status_code < 500 else 500])
        self.say(status_code, {"error": sentence}, headers)

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
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.set_header("Vary", "Origin")
        if kind:
            self.set_header("Content-Type", kind)
        else:
            self.clear_header("Content-Type")
        if origin := self._allowed_origin():
            self.set_header("Access-Control-Allow-Origin", origin)
        if not self._whole:
            self.set_header("Connection", "close")  # tornado closes then, and does not say so
        for name, value in (headers or {}).items():
            self.set_header(name, value)
        self.finish(body or None)

    def _check_token(self) -> None:
        token = self.api.settings.token
        if not token or self.open_to_all:
            return
        scheme, _, given = self.request.headers.get("Authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
        if scheme.lower() != "bearer" or not same:
            challenge = {"WWW-Authenticate": 'Bearer realm="kezako"'}
            raise Refusal(401, "This API asks for a token: Authorization: Bearer …", challenge)

    def _check_origin(self) -> None:
        """Keep a stranger's web site from using its visitors' browsers to keep this server busy."""
        origin = self.request.headers.get("Origin")
        if origin is None or self._allowed_origin():
            return
        if self.request.headers.get("Sec-Fetch-Site") == "same-origin":  # scripts cannot set it
            return
        if urlsplit(origin).netloc.lower() != self.request.host.lower():
            raise Refusal(403, "Scripts of other web sites may not call this API.")

    def _allowed_origin(self) -> str:
        origin = self.request.headers.get("Origin", "")
        allowed = self.api.settings.origins
        return origin if origin and (origin in allowed or "*" in allowed) else ""

    def _check_size(self) -> None:
        if self.request.headers.get("Content-Encoding", "identity") != "identity":
            raise Refusal(415, "Bodies are not to be compressed; pictures are so already.")
        if self._length() > self._bound():
            raise self._too_large()

    def _length(self) -> int:
        """Bytes that the headers promise; 0 where they do not tell."""
        text = self.request.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0

    def _bound(self) -> int:
        settings, form = self.api.settings, self.request.headers.get("Content-Type", "")
        as_json = form.split(";")[0].strip().lower() == JSON
        return MEGABYTE * (settings.json if as_json else settings.body)

    def _too_large(self) -> Refusal:
        return Refusal(413, f"Please send at most {self._bound() // MEGABYTE} MB at once.")

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
        self._accept(self._bound() + DRAINED)

    def _refuse(self, refusal: Refusal) -> None:
        """Say so now, or when the body that is on its way has been dropped."""
        self._drop_body()
        headers = self.request.headers
        coming = self._length() or "Transfer-Encoding" in headers
        self._accept(max(self._length(), DRAINED))
        if not coming or "Expect" in headers or not 0 < self._length() <= DRAINED:
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
        self.refuse(Refusal(408, "This upload came too slowly. Please send a smaller copy."))

    def _drop_body(self) -> None:
        self.api.gate.give(len(self.body))
        self.body = bytearray()

    def _leave(self) -> None:
        self._stop_waiting()
        self._drop_body()
        if self._address:
            self.api.gate.leave(self._address)
            self._address = ""
