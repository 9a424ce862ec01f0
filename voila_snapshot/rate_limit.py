"""How often something may happen: so many times at once, so many a second after that."""

from __future__ import annotations


class RateLimiter:
    """A bucket that `allow` empties and time fills again."""

    def __init__(
        self,
        at_once: int,
        a_second: float,
        now: float,  # seconds, of a clock that only goes forward; also below
    ) -> None:
        self._most, self._rate = float(at_once), a_second
        self._left, self._at = float(at_once), now

    def allow(
        self,
        now: float,
        much: float = 1,  # that is to pass together
    ) -> bool:
        """Whether it may pass."""
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < much:
            return False
        self._left -= much
        return True

    def is_full(self, now: float) -> bool:
        """Whether it has been left alone long enough to be forgotten."""
        return self._left + (now - self._at) * self._rate >= self._most
