"""DuckDuckGo and Bing through the `ddgs` package, which hides why a search failed.

Its two image backends are asked one after the other and page by page; by default the library
picks one at random and stops after one page. Whatever goes wrong, it says "No results found.",
so the status of each response is recorded here. Its Bing backend ignores `safesearch`, so a
recipe with `safe = true` gets results from DuckDuckGo only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ddgs.ddgs import DDGS

from kezako.gather.settings import Settings
from kezako.gather.sources import Found, Kind, SourceStopped, register
from kezako.gather.sources.duckduckgo import SITE, filters, found_of
from kezako.gather.sources.pace import Pace, kind_of


class WatchedDDGS(DDGS):
    """`DDGS` that records the HTTP statuses of its engines in `statuses`.

    It hooks into the place where the library creates its engines. If a later version creates them
    elsewhere, `statuses` stays empty and searching still works.
    """

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.statuses: list[int] = []

    def _get_engines(self, category: str, backend: str) -> list[Any]:
        engines: list[Any] = super()._get_engines(category, backend)
        for engine in engines:
            if not isinstance(engine.http_client, _Ears):
                engine.http_client = _Ears(engine.http_client, self.statuses)
                engine.post_extract_results = _with_titles(engine.post_extract_results)
        return engines


class _Ears:
    """Wraps an engine's HTTP client and records the status of each response."""

    def __init__(self, client: Any, statuses: list[int]):
        self._client = client
        self._statuses = statuses

    def request(self, *args: Any, **kwargs: Any) -> Any:
        response = self._client.request(*args, **kwargs)
        self._statuses.append(response.status_code)
        return response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def _with_titles(extract: Callable[[list[Any]], list[Any]]) -> Callable[[list[Any]], list[Any]]:
    """Replace titles that are None: the ranking would raise TypeError and lose the whole page."""

    def extracted(results: list[Any]) -> list[Any]:
        found = extract(results)
        for result in found:
            if result.title is None:
                result.title = ""
        return found

    return extracted


# Backend -> its site; the one that can filter comes first.
BACKENDS = {"duckduckgo": SITE, "bing": "https://www.bing.com"}
PAGES = 10  # per backend; a page has 100 pictures at DuckDuckGo, 35 at Bing
# Which backend's ending becomes the source's: the one that is most worth a retry comes first.
_TELLING: tuple[Kind, ...] = ("limited", "refused", "broken", "empty")


@register("ddgs")
class Metasearch:
    """Asks DuckDuckGo, then Bing where the recipe says `safe = false`."""

    name = "ddgs"

    def __init__(self, settings: Settings):
        self.settings = settings
        # What Bing ignores; it is only asked if `safe` is off.
        self.cannot_filter: tuple[str, ...] = () if settings.safe else ("licence", "photo only")

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """At most `limit` pictures. Raises `SourceStopped`."""
        seen: set[str] = set()
        endings: list[SourceStopped] = []
        for backend in BACKENDS:
            try:
                for found in self._backend(backend, query):
                    if found.url not in seen:
                        seen.add(found.url)
                        yield found
                        if len(seen) >= limit:
                            return
            except SourceStopped as ending:
                endings.append(ending)
        kind = min((ending.kind for ending in endings), key=_TELLING.index)
        told = "; ".join(map(str, endings))
        raise SourceStopped(kind, f'ddgs for "{query}": {told} ({len(seen)} found).')

    def _backend(self, backend: str, query: str) -> Iterator[Found]:
        if self.settings.safe and backend == "bing":
            raise SourceStopped("empty", "bing is left out, since it gives no safe results")
        library = _library(self.settings, BACKENDS[backend])
        pace = Pace(f"ddgs/{backend}", self.settings)
        before: set[str] = set()
        for page in range(1, PAGES + 1):
            pace.step()
            found = self._page(library, backend, query, page)
            fresh = [one for one in found if one.url not in before]
            if not fresh:  # past its end, Bing repeats the last page
                break
            before.update(one.url for one in fresh)
            yield from fresh
        raise SourceStopped("empty", f"{backend} has no more pictures")

    def _page(self, library: Any, backend: str, query: str, page: int) -> list[Found]:
        library.statuses.clear()
        wishes = filters(self.settings) if backend == "duckduckgo" else {}
        try:
            rows = library.images(query, max_results=None, page=page, backend=backend, **wishes)
        except Exception as error:  # the library lets TypeError and more through
            raise _stopped(backend, error, library.statuses) from error
        return [found for row in rows if (found := found_of(row))]


def _library(settings: Settings, site: str) -> Any:
    try:
        from kezako.gather.sources.metasearch import WatchedDDGS
    except ImportError as error:
        raise SourceStopped(
            "broken",
            "ddgs needs the package ddgs; install it with: pip install 'kezako[train]'.",
        ) from error
    return WatchedDDGS(
        proxy=settings.proxies.towards(site),
        timeout=round(settings.timeout),
        verify=str(settings.ca) if settings.ca else True,
    )


def _stopped(backend: str, error: Exception, statuses: list[int]) -> SourceStopped:
    bad = next((status for status in statuses if status != 200), None)
    if bad is not None:
        kind = kind_of(bad)
        verb = {"limited": "limits requests", "refused": "refuses our requests"}.get(
            kind, "answered"
        )
        return SourceStopped(kind, f"{backend} {verb} {bad if kind == 'broken' else f'({bad})'}")
    if type(error).__name__ == "TimeoutException":
        return SourceStopped("broken", f"{backend} did not answer in time")
    if "No results found" not in str(error):
        name = type(error).__name__
        readable = "cannot be reached" if not statuses else f"cannot be read ({name})"
        return SourceStopped("broken", f"{backend} {readable}")
    if not statuses:
        return SourceStopped(
            "empty", f"{backend} has none, or limits requests: the library does not say which"
        )
    return SourceStopped("empty", f"{backend} has no more pictures")
