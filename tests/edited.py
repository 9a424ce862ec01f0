"""A text with a part exchanged, which must be there: else a test tries what it does not mean."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T", str, bytes)


def edited(
    text: T,
    old: T,
    new: T,
    times: int = 1,  # that `old` stands there
) -> T:
    assert text.count(old) == times, f"{old!r} stands there {text.count(old)} times"
    return text.replace(old, new)
