"""Pace requests to a source and wait for its rate limits: both have bounds and are reported."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kezako.gather.settings import Settings
from kezako.gather.sources import Kind, SourceStopped

WAITS = (5.0, 20.0)  # seconds; a rate limit that lasts longer is left to a later run
LONGEST = 60.0  # seconds; if a site asks for a longer wait, it is given up at once

_LIMITED = {202, 429, 503}  # 202 is how DuckDuckGo says "later"
_REFUSED = {401, 403, 418, 451}

# Site -> time of the last request. Shared by all sources in this process, because a site counts
# requests from all classes and notebooks together.
_asked: dict[str, float] = {}


class Pace:
    """The pace of one search's requests to one site."""

    def __init__(
        self,
        source: str,  # its name, for messages
        settings: Settings,
        every: float = 1.0,  # seconds between requests
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.source = source
        self.settings = settings
        self._every = every * settings.pause
        self._waits = list(WAITS)
        self._clock, self._sleep = clock, sleep

    def step(self) -> None:
        """Wait until the next request is due."""
        due = _asked.get(self.source, float("-inf")) + self._every
        if (left := due - self._clock()) > 0:
            self._sleep(left)
        _asked[self.source] = self._clock()

    def wait_out(
        self,
        what: str,  # what the site said, such as "429"
        retry_after: float | None = None,  # seconds, where the site said how long
    ) -> None:
        """Wait because of a rate limit, and say so. Raises `SourceStopped` after the last wait."""
        if retry_after is not None and retry_after > LONGEST:
            raise SourceStopped(
                "limited",
                f"{self.source} limits requests ({what}) and asks to come back in "
                f"{_spoken(retry_after)}; run the same command again then.",
            )
        if not self._waits:
            raise SourceStopped(
                "limited",
                f"{self.source} still limits requests ({what}) after {len(WAITS)} pauses; "
                "run the same command again later, and it continues.",
            )
        seconds = max(self._waits.pop(0), retry_after or 0.0)
        turn = len(WAITS) - len(self._waits)
        self.settings.say(
            f"{self.source} limits requests ({what}): "
            f"waiting {_spoken(seconds)} (pause {turn} of {len(WAITS)})"
        )
        self._sleep(seconds * self.settings.pause)


def kind_of(status: int) -> Kind:
    """What an HTTP status other than 200 means for a source: limited, refused or broken."""
    if status in _LIMITED:
        return "limited"
    return "refused" if status in _REFUSED else "broken"


def seconds_of(retry_after: str | None) -> float | None:
    """The `Retry-After` header, a number or a date, in seconds from now; None if unreadable."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.strip().isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:  # no date
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _spoken(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"
