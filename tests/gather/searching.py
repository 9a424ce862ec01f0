"""Words for tests of sources."""

from __future__ import annotations

from kezako.gather.settings import Settings
from kezako.gather.sources import Found, SourceStopped, open_source


def search(
    name: str, settings: Settings, query: str = "black bear", limit: int = 30
) -> tuple[list[Found], SourceStopped | None]:
    """What a source gave, and how it ended: None where it gave all that was asked for."""
    found: list[Found] = []
    try:
        for one in open_source(name, settings).search(query, limit):
            found.append(one)
    except SourceStopped as stopped:
        return found, stopped
    return found, None
