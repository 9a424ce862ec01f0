"""A rate limiter: so many in a burst, then so many per second."""

from __future__ import annotations


class RateLimiter:
    """A token bucket: `allow` takes tokens, time adds them."""

    def __init__(
        self,
        at_once: int,
        a_second: float,
        now: float,  # seconds, from a monotonic clock; also below
    ) -> None:
        self._most, self._rate = float(at_once), a_second
        self._left, self._at = float(at_once), now

    def allow(
        self,
        now: float,
        much: float = 1,  # number of tokens
    ) -> bool:
        """Take tokens; False if there are not enough."""
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < much:
            return False
        self._left -= much
        return True

    def is_full(self, now: float) -> bool:
        """Whether the bucket is full, so that it can be forgotten."""
        return self._left + (now - self._at) * self._rate >= self._most
