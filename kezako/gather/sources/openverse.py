"""Openverse: openly licensed pictures, each with its licence, creator and page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kezako.gather.settings import Settings
from kezako.gather.sources import Found, SourceStopped, offered, register
from kezako.gather.sources.api import Api

PAGE = 20  # pictures; the most that Openverse gives without a key
PAGES = 12  # per search; the most without a key


@register("openverse")
class Openverse:
    """Asks api.openverse.org; needs no key."""

    name = "openverse"
    cannot_filter: tuple[str, ...] = ()

    def __init__(self, settings: Settings):
        self.settings = settings

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """At most `limit` pictures. Raises `SourceStopped`."""
        given = 0
        with Api(self.name, self.settings.openverse_url, self.settings) as api:
            for page in range(1, PAGES + 1):
                answer = api.get("/v1/images/", self._parameters(query, page))
                results = answer.get("results")
                if not isinstance(results, list):
                    raise api.broken("answered without a list of results")
                for found in filter(None, map(self._found, results)):
                    yield found
                    given += 1
                    if given >= limit:
                        return
                if not results or page == answer.get("page_count"):
                    break
        raise SourceStopped(
            "empty", f'openverse has no more pictures for "{query}" ({given} found).'
        )

    def _parameters(self, query: str, page: int) -> dict[str, str | int]:
        parameters: dict[str, str | int] = {
            "q": query,
            "page": page,
            "page_size": PAGE,
            # Not its older name, "mature": Openverse treats any value of that as true.
            "unstable__include_sensitive_results": "false" if self.settings.safe else "true",
        }
        return parameters | ({"category": "photograph"} if self.settings.photos_only else {})

    def _found(self, row: Any) -> Found | None:
        if not isinstance(row, dict) or (self.settings.safe and row.get("mature")):
            return None
        return offered(
            row.get("url"),
            page=row.get("foreign_landing_url"),
            title=row.get("title"),
            licence=_licence(row),
            creator=row.get("creator"),
            width=row.get("width"),
            height=row.get("height"),
        )


def _licence(row: dict[str, Any]) -> str | None:
    code, version, link = (row.get(key) for key in ("license", "license_version", "license_url"))
    if not isinstance(code, str):
        return None
    name = {"cc0": "CC0", "pdm": "Public Domain Mark"}.get(code, f"CC {code.upper()}")
    named = f"{name} {version}" if isinstance(version, str) and version else name
    return f"{named} ({link})" if isinstance(link, str) and link else named
