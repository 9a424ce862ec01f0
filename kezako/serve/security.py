"""Security headers for every response, and error pages that reveal nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from html import escape
from http import HTTPStatus
from pathlib import Path
from string import Template
from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, OutputTransform, RequestHandler

from kezako.serve.limits import Limits

_NOTICE = Template((Path(__file__).with_name("notice.html")).read_text(encoding="utf-8"))

SENTENCES = {
    400: "This request could not be understood.",
    403: "This is not allowed.",
    404: "There is nothing here.",
    405: "This cannot be done here.",
    413: "This is too large.",
}
SORRY = "Something went wrong here, and was written to the log. Please try again."

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def policy(frame_ancestors: str) -> str:
    """The page's Content Security Policy: everything from this server, no inline scripts.

    Widgets have style attributes, and an HTML widget may have a style sheet, so inline styles are
    allowed; nothing that a style can load may come from elsewhere.
    """
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {frame_ancestors}",
        ]
    )


def headers(limits: Limits) -> Callable[[HTTPServerRequest], OutputTransform]:
    """A tornado transform that adds the headers to every response."""
    always = {**HEADERS, "Content-Security-Policy": policy(limits.frame_ancestors)}
    if limits.frame_ancestors == "'self'":
        always["X-Frame-Options"] = "SAMEORIGIN"  # for browsers without frame-ancestors

    class Headers(OutputTransform):
        def transform_first_chunk(
            self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            for name, value in always.items():
                headers.setdefault(name, value)
            headers.pop("Server", None)  # a server's version only helps attackers
            return status_code, headers, chunk

    return Headers


class Stranger(IdentityProvider):  # type: ignore[misc]
    """Everybody is an anonymous visitor: there is no login, and no cookie is set."""

    def get_user(self, handler: RequestHandler) -> User:
        return User(username="visitor")

    def get_handlers(self) -> list[tuple[str, object]]:
        return []


class Sentences(RequestHandler):
    """Shows errors as a sentence, without the library's status page, message or paths."""

    def set_default_headers(self) -> None:
        """No headers from Jupyter: `headers` completes every response."""

    def compute_etag(self) -> str | None:
        """None: these responses are not cached; see `Files` for those that are."""
        return None

    def check_xsrf_cookie(self) -> None:
        """Not needed: without cookies, other sites cannot act for visitors; see `LeaveHandler`."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.say(status_code, sentence(status_code), home=self.settings["base_url"])

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log our own errors with their traceback, but not who asked for what."""
        # Refused requests, and visitors who left.
        if not isinstance(value, HTTPError | StreamClosedError):
            log: logging.Logger = self.settings["kezako_log"]
            log.error("%s failed.", type(self).__name__, exc_info=(typ, value, tb))

    def say(self, status: int, text: str, **more: Any) -> None:
        """Finish with a page that says `text`; `more` are arguments of `notice`."""
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Robots-Tag", "noindex")
        self.finish(notice(text, **more))


class NotFound(Sentences):
    """For all URLs that do not exist."""

    def prepare(self) -> None:
        if "/api/" in self.request.path:
            self.set_status(404)
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps({"error": SENTENCES[404]}))
        else:
            self.say(404, SENTENCES[404], home=self.settings["base_url"])


def sentence(status: int) -> str:
    return SENTENCES.get(status) or (SORRY if status >= 500 else SENTENCES[400])


def notice(
    text: str,
    *,
    title: str = "Kezako?",
    again: float | None = None,  # seconds after which the page reloads itself
    where: str = "",  # the URL to load then
    home: str = "",  # URL of a link to the page
) -> str:
    """HTML of a page that shows one sentence and needs no script."""
    refresh = ""
    if again is not None:
        target = f"; url={escape(where, quote=True)}" if where else ""
        refresh = f'<meta http-equiv="refresh" content="{again:g}{target}">'
    return _NOTICE.substitute(
        title=escape(title),
        refresh=refresh,
        text=f"<p>{escape(text)}</p>",
        link=f'<a href="{escape(home)}">Open the page</a>' if home else "",
        dots="" if again is None else '<p aria-hidden="true"><i></i><i></i><i></i></p>',
    )


def quiet(handler: RequestHandler) -> None:
    """Replaces the access log: logs only our own errors, and nothing about visitors."""
    status = handler.get_status()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE:
        handler.settings["kezako_log"].error(
            "%s by %s failed with %d.", handler.request.method, type(handler).__name__, status
        )
