"""The `ddgs` library with its ears open: what each answer's status was, and no lost pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ddgs.ddgs import DDGS


class WatchedDDGS(DDGS):
    """`DDGS` that keeps in `statuses` what its engines were answered.

    It hooks where the library makes its engines. Should a later version make them elsewhere,
    `statuses` stays empty and searching works on as the library does it.
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
    """An engine's HTTP client, its answers' statuses noted."""

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
    """A result whose title is None would raise TypeError in the ranking and lose the whole page."""

    def extracted(results: list[Any]) -> list[Any]:
        found = extract(results)
        for result in found:
            if result.title is None:
                result.title = ""
        return found

    return extracted
