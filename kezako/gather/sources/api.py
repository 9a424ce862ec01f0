"""A polite client for JSON APIs: paced, size-limited, waits for rate limits, reports failures."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from kezako import __version__
from kezako.gather.network import trusting
from kezako.gather.settings import Settings
from kezako.gather.sources import SourceStopped
from kezako.gather.sources.pace import Pace, kind_of, seconds_of

MAX_BYTES = 4_000_000  # of one page; a real page has about 100 KB
LONGEST = 3  # a whole page may take so many times `Settings.timeout`, which is for one read
_RETRIES = 1  # for a dropped connection or a 5xx


class Api:
    """JSON requests to one site over one connection; use it as a context manager."""

    def __init__(
        self,
        source: str,  # its name, for messages
        base: str,  # "https://api.openverse.org"
        settings: Settings,
    ):
        self.pace = Pace(source, settings)
        self._source, self._timeout = source, settings.timeout
        contact = settings.contact or "no contact given"
        self._client = httpx.Client(
            base_url=base,
            proxy=settings.proxies.towards(base),
            trust_env=False,  # proxy and CA come from the settings only
            verify=trusting(settings.ca),
            timeout=settings.timeout,
            headers={"User-Agent": f"kezako/{__version__} ({contact}) httpx/{httpx.__version__}"},
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, parameters: Mapping[str, str | int]) -> dict[str, Any]:
        """One JSON response. Raises `SourceStopped`: limited, refused or broken."""
        failures = 0
        while True:
            self.pace.step()
            try:
                status, headers, body = self._fetch(path, parameters)
            except httpx.HTTPError as error:
                failures += 1
                if failures > _RETRIES:
                    raise self.broken(f"cannot be reached ({_named(error)})") from error
                continue
            if status == 200:
                return self._parse(body)
            if kind_of(status) == "limited":
                self.pace.wait_out(str(status), seconds_of(headers.get("Retry-After")))
            elif status >= 500 and failures < _RETRIES:
                failures += 1
            else:
                raise self._stopped(status)

    def broken(self, what: str) -> SourceStopped:
        return SourceStopped("broken", f"{self._source} {what}.")

    def _fetch(
        self, path: str, parameters: Mapping[str, str | int]
    ) -> tuple[int, httpx.Headers, bytes]:
        end = time.monotonic() + LONGEST * self._timeout
        with self._client.stream("GET", path, params=dict(parameters)) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > end:
                    raise self.broken("sends too slowly")
                if len(body) > MAX_BYTES:
                    raise self.broken(f"sent more than {MAX_BYTES // 1_000_000} MB for one page")
            return response.status_code, response.headers, bytes(body)

    def _parse(self, body: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self.broken("answered something that is no JSON object")
        return answer

    def _stopped(self, status: int) -> SourceStopped:
        if kind_of(status) == "refused":
            sentence = f"{self._source} refuses our requests ({status})."
            return SourceStopped("refused", sentence)
        return self.broken(f"answered {status} {httpx.codes.get_reason_phrase(status)}".rstrip())


def _named(error: Exception) -> str:
    return str(error) or type(error).__name__
