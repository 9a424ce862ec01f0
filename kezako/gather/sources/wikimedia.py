"""Wikimedia Commons: free pictures, each with its licence, creator and page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from kezako.gather.settings import Settings
from kezako.gather.sources import Found, SourceStopped, offered, register
from kezako.gather.sources.api import Api

PAGE = 20  # pictures
PAGES = 15  # a search
WIDTH = 960  # pixels; a width that Wikimedia has cached, and enough for 512


@register("wikimedia")
class Wikimedia:
    """Asks the API of commons.wikimedia.org; needs no key."""

    name = "wikimedia"
    cannot_filter: tuple[str, ...] = ("photo only", "safe search")

    def __init__(self, settings: Settings):
        self.settings = settings

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """At most `limit` pictures. Raises `SourceStopped`."""
        given = 0
        following: dict[str, str | int] = {}
        with Api(self.name, self.settings.wikimedia_url, self.settings) as api:
            for _ in range(PAGES):
                answer = _checked(api, _parameters(query) | following)
                for found in filter(None, map(_found, _pages(answer))):
                    yield found
                    given += 1
                    if given >= limit:
                        return
                following = _following(answer)
                if not following:
                    break
        raise SourceStopped(
            "empty", f'wikimedia has no more pictures for "{query}" ({given} found).'
        )


def _parameters(query: str) -> dict[str, str | int]:
    return {
        "action": "query",
        "format": "json",
        "formatversion": 2,
        "generator": "search",
        "gsrsearch": f"filetype:bitmap {query}",  # no SVG, PDF or sound
        "gsrnamespace": 6,  # files
        "gsrlimit": PAGE,
        "prop": "imageinfo",
        "iiprop": "url|size|extmetadata",
        "iiurlwidth": WIDTH,
        "iiextmetadatafilter": "LicenseShortName|LicenseUrl|Artist|ObjectName",
        "maxlag": 5,  # seconds; asks the servers to refuse while their replication lags
    }


def _checked(api: Api, parameters: dict[str, str | int]) -> dict[str, Any]:
    """A response without an error in it: MediaWiki reports errors with status 200."""
    while True:
        answer = api.get("/w/api.php", parameters)
        error = answer.get("error")
        if not error:
            return answer
        code = str(error.get("code", "")) if isinstance(error, dict) else ""
        if code in ("maxlag", "ratelimited"):
            api.pace.wait_out(code)
        elif code in ("readapidenied", "blocked", "permissiondenied"):
            raise SourceStopped("refused", f"wikimedia refuses our requests ({code}).")
        else:
            raise api.broken(f"answered the error {code[:40]!r}")


def _pages(answer: dict[str, Any]) -> list[dict[str, Any]]:
    query = answer.get("query")
    pages = query.get("pages") if isinstance(query, dict) else None
    pages = [page for page in pages if isinstance(page, dict)] if isinstance(pages, list) else []
    # Pages are sorted by id; `index` is the rank in the search.
    return sorted(pages, key=lambda page: page["index"] if _is_int(page.get("index")) else 10**6)


def _following(answer: dict[str, Any]) -> dict[str, str | int]:
    found = answer.get("continue")
    if not isinstance(found, dict):
        return {}
    return {str(key): value for key, value in found.items() if isinstance(value, str | int)}


def _found(page: dict[str, Any]) -> Found | None:
    infos = page.get("imageinfo")
    info = infos[0] if isinstance(infos, list) and infos else None
    if not isinstance(info, dict):
        return None
    small = isinstance(info.get("thumburl"), str)
    licence, link = _told(info, "LicenseShortName"), _told(info, "LicenseUrl")
    return offered(
        info["thumburl"] if small else info.get("url"),
        page=info.get("descriptionurl"),
        title=_told(info, "ObjectName") or page.get("title"),
        licence=f"{licence} ({link})" if licence and link else licence,
        creator=_told(info, "Artist"),
        width=info.get("thumbwidth" if small else "width"),
        height=info.get("thumbheight" if small else "height"),
    )


def _told(info: dict[str, Any], key: str) -> str | None:
    """A value of the file's metadata as plain text: Wikimedia sends HTML."""
    metadata = info.get("extmetadata")
    entry = metadata.get(key) if isinstance(metadata, dict) else None
    value = entry.get("value") if isinstance(entry, dict) else None
    if not isinstance(value, str):
        return None
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", value[:5000])).split()) or None


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
