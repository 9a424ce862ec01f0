"""Rules of the API: token, origin and size limits, and the sentences for refusals."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from kezako.api.bodies import JSON
from kezako.api.concurrency import COME_AGAIN
from kezako.api.settings import MEGABYTE, ApiSettings

SENTENCES = {
    400: "This request is malformed.",
    404: "There is nothing here. The API is described at /api/openapi.json.",
    405: "This address does not take that method.",
    500: "Something went wrong here, and it was not your picture. Please try again.",
}
TOO_MANY = "Too many pictures are waiting here. Please come again in a moment."
TOO_SLOW = "This upload came too slowly. Please send a smaller copy."
LATE = "The answer took too long, because many are asking. Please come again in a moment."
UNKNOWN = "There is no classifier of that name; see /api/models."

HEADERS = {  # of every response
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Vary": "Origin",
}

Headers = Mapping[str, str]  # of a request; case-insensitive


class Refusal(Exception):
    """A request that is rejected with a sentence."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None):
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}

    @classmethod
    def come_again(cls, seconds: int = COME_AGAIN, status: int = 429) -> Refusal:
        return cls(status, TOO_MANY, {"Retry-After": str(seconds)})

    @classmethod
    def late(cls) -> Refusal:
        return cls(503, LATE, {"Retry-After": "10"})


class Rules:
    """Checks a request's headers against the settings."""

    def __init__(self, settings: ApiSettings):
        self._settings = settings

    def check_token(self, headers: Headers) -> None:
        """Raises `Refusal` if the bearer token is missing or wrong."""
        token = self._settings.token
        if not token:
            return
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
        if scheme.lower() != "bearer" or not same:
            challenge = {"WWW-Authenticate": 'Bearer realm="kezako"'}
            raise Refusal(401, "This API asks for a token: Authorization: Bearer …", challenge)

    def check_origin(
        self,
        headers: Headers,
        host: str,  # the Host header
    ) -> None:
        """Keep other web sites from using their visitors' browsers to send requests here.

        Raises `Refusal`.
        """
        origin = headers.get("Origin")
        if origin is None or self.allowed_origin(headers):
            return
        if headers.get("Sec-Fetch-Site") == "same-origin":  # scripts cannot set it
            return
        if urlsplit(origin).netloc.lower() != host.lower():
            raise Refusal(403, "Scripts of other web sites may not call this API.")

    def allowed_origin(self, headers: Headers) -> str:
        """The Origin header if that site's scripts may call the API; else empty."""
        origin = headers.get("Origin", "")
        allowed = self._settings.origins
        return origin if origin and (origin in allowed or "*" in allowed) else ""

    def check_size(self, headers: Headers) -> None:
        """Raises `Refusal` if the headers announce too large a body."""
        if headers.get("Content-Encoding", "identity") != "identity":
            raise Refusal(415, "Bodies are not to be compressed; pictures are so already.")
        if length(headers) > self.bound(headers):
            raise self.too_large(headers)

    def bound(self, headers: Headers) -> int:
        """Maximum size of the body in bytes."""
        kind = headers.get("Content-Type", "").split(";")[0].strip().lower()
        return MEGABYTE * (self._settings.json if kind == JSON else self._settings.body)

    def too_large(self, headers: Headers) -> Refusal:
        return Refusal(413, f"Please send at most {self.bound(headers) // MEGABYTE} MB at once.")


def length(headers: Headers) -> int:
    """The Content-Length in bytes; 0 if there is none."""
    text = headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def as_json(message: object) -> bytes:
    text = json.dumps(message, ensure_ascii=False, allow_nan=False)
    # A class name may contain an unpaired surrogate, which UTF-8 cannot encode.
    return text.encode("utf-8", "replace") + b"\n"
