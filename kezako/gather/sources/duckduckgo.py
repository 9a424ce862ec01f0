"""DuckDuckGo through the `duckduckgo_search` package, with workarounds for its pitfalls."""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kezako.gather.settings import Settings
from kezako.gather.sources import Found, SourceStopped, offered, register
from kezako.gather.sources.pace import Pace, kind_of

SITE = "https://duckduckgo.com"
FIRST = 100  # one page. The library keeps nothing of a search whose third page fails, so the
MOST = 500  # first page is asked for alone; five pages are the library's most.

_environment = threading.Lock()


@register("duckduckgo")
class DuckDuckGo:
    """Asks duckduckgo.com's picture search."""

    name = "duckduckgo"
    cannot_filter: tuple[str, ...] = ()

    def __init__(self, settings: Settings):
        self.settings = settings

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """At most `limit` pictures. Raises `SourceStopped`."""
        library = _library(self.settings)
        pace = Pace(self.name, self.settings)
        seen: set[str] = set()
        for wanted in (min(limit, FIRST), min(limit + FIRST, MOST)):
            rows = self._ask(library, pace, query, wanted)
            for found in filter(None, map(found_of, rows)):
                if found.url not in seen:
                    seen.add(found.url)
                    yield found
                    if len(seen) >= limit:
                        return
            if len(rows) < wanted:
                break
        raise SourceStopped(
            "empty", f'duckduckgo has no more pictures for "{query}" ({len(seen)} found).'
        )

    def _ask(self, library: Any, pace: Pace, query: str, wanted: int) -> list[Any]:
        while True:
            pace.step()
            try:
                return list(library.images(query, max_results=wanted, **filters(self.settings)))
            except Exception as error:  # the library lets KeyError, TypeError and more through
                status = _status(error)
                if kind_of(status) != "limited":
                    raise _stopped(error, status) from error
                pace.wait_out(str(status))


def filters(settings: Settings) -> dict[str, str]:
    """The keyword arguments for the recipe's filters, the same in both libraries."""
    photos = {"type_image": "photo"} if settings.photos_only else {}
    licence = {"license_image": "any"} if settings.licence == "free" else {}
    return photos | licence | {"safesearch": "on" if settings.safe else "off"}  # "on" is strict


def found_of(row: Any) -> Found | None:
    """A `Found` from a row of either library."""
    if not isinstance(row, dict):
        return None
    return offered(
        row.get("image"),
        page=row.get("url"),
        title=row.get("title"),
        width=row.get("width"),
        height=row.get("height"),
    )


def _library(settings: Settings) -> Any:
    try:
        from duckduckgo_search import DDGS
    except ImportError as error:
        raise SourceStopped(
            "broken",
            "duckduckgo needs the package duckduckgo_search; "
            "install it with: pip install 'kezako[train]'.",
        ) from error
    # It warns about its new name, and sets the whole process's warning filter to "always".
    with _trusted(settings), warnings.catch_warnings(record=True):
        return DDGS(proxy=settings.proxies.towards(SITE), timeout=round(settings.timeout))


@contextmanager
def _trusted(settings: Settings) -> Iterator[None]:
    """Make the library's HTTP client trust `settings.ca`, which only the environment can do."""
    if settings.ca is None:
        yield
        return
    with _environment:
        before = os.environ.get("PRIMP_CA_BUNDLE")
        os.environ["PRIMP_CA_BUNDLE"] = str(settings.ca)
        try:
            yield
        finally:
            os.environ.pop("PRIMP_CA_BUNDLE")
            if before is not None:
                os.environ["PRIMP_CA_BUNDLE"] = before


def _status(error: Exception) -> int:
    """The HTTP status in "https://duckduckgo.com/?q=x 202 Ratelimit"; 0 if there is none."""
    found = re.search(r" (\d{3}) Ratelimit$", str(error))
    return int(found[1]) if found else 0


def _stopped(error: Exception, status: int) -> SourceStopped:
    if kind_of(status) == "refused":
        sentence = f"duckduckgo refuses our requests ({status})."
        return SourceStopped("refused", sentence)
    return SourceStopped("broken", f"duckduckgo {_why(error, status)}.")


def _why(error: Exception, status: int) -> str:
    name = type(error).__name__
    if status:
        return f"answered {status}"
    if name == "TimeoutException":
        return "did not answer in time"
    if "return None" in str(error):
        return "answered with an error of its own"
    if "vqd" in str(error) or name != "DuckDuckGoSearchException" or "JSON" in str(error):
        return f"answered in a form that the library cannot read ({name})"
    return "cannot be reached"
