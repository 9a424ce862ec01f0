"""Words for tests of sources."""

from __future__ import annotations

from typing import Any

from kezako.gather.settings import Settings
from kezako.gather.sources import Found, SourceStopped, open_source
from tests.standin import Standin

# What a source does, and the kind, some words and the number of requests that it then ends with.
Ending = tuple[dict[str, Any], str, str, int]


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


def assert_ends(name: str, standin: Standin, settings: Settings, ending: Ending) -> None:
    """Nothing is found, and the reason names the source."""
    how, kind, words, requests = ending
    standin.play(name, **how)
    found, stopped = search(name, settings)
    assert not found
    assert stopped
    assert stopped.kind == kind
    assert words in str(stopped)
    assert str(stopped).startswith(name)
    assert standin.count(name) == requests
