"""Four search sites, answering in the form of the real ones."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from urllib.parse import quote_plus

from tests.standin.messages import Reply, Request

DUCKDUCKGO_PAGE = 100
BING_PAGE = 35
_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Results:
    """What an engine finds for a query."""

    urls: list[str]
    untitled: bool = False

    def title(self, number: int, query: str) -> str | None:
        return None if self.untitled else f"{query} no. {number}"


def query_of(request: Request) -> str:
    """The words that a request searches for."""
    words = request.query.get("q") or request.query.get("gsrsearch", "")
    return re.sub(r"\bfiletype:\w+\s*", "", words)


def answer(service: str, request: Request, results: Results) -> Reply:
    """The answer of one of the four sites; 404 where it has no such path."""
    routes = {
        ("duckduckgo", "/"): _duckduckgo_start,
        ("duckduckgo", "/i.js"): _duckduckgo,
        ("bing", "/images/async"): _bing,
        ("openverse", "/v1/images/"): _openverse,
        ("wikimedia", "/w/api.php"): _wikimedia,
    }
    route = routes.get((service, request.path))
    return route(request, results) if route else Reply(b"No such page", 404)


def _duckduckgo_start(request: Request, results: Results) -> Reply:
    return Reply(
        b'<!doctype html><script>DDG.deep.initialize("/d.js");vqd="4-2718281828";</script>'
    )


def _duckduckgo(request: Request, results: Results) -> Reply:
    if request.query.get("vqd") != "4-2718281828":
        return Reply(b"If this persists, please email us.", 403)
    query, start = query_of(request), _number(request.query.get("s"), 0)
    rows = [
        {
            "title": results.title(number, query),
            "image": url,
            "thumbnail": f"{url}?thumbnail",
            "url": _landing(url),
            "height": 384,
            "width": 512,
            "source": "Bing",
        }
        for number, url in _page(results.urls, start, DUCKDUCKGO_PAGE)
    ]
    body: dict[str, object] = {"ads": None, "query": query, "results": rows}
    if start + DUCKDUCKGO_PAGE < len(results.urls):
        body["next"] = (
            f"i.js?q={quote_plus(query)}&o=json&s={start + DUCKDUCKGO_PAGE}&u=bing&l=us-en"
        )
    return Reply(json.dumps(body).encode(), content_type="application/x-javascript")


def _bing(request: Request, results: Results) -> Reply:
    query, start = query_of(request), _number(request.query.get("first"), 1) - 1
    items = [
        _bing_item(url, results.title(number, query))
        for number, url in _page(results.urls, start, BING_PAGE)
    ]
    return Reply(f'<div class="dgControl">{"".join(items)}</div>'.encode())


def _bing_item(url: str, title: str | None) -> str:
    about = {"purl": _landing(url), "murl": url, "turl": f"{url}?thumbnail", "t": title}
    data = html.escape(json.dumps(about), quote=True)
    return (
        f'<div class="iuscp"><div class="imgpt"><a class="iusc" m="{data}"></a>'
        '<div class="img_info hon"><span class="nowrap">512 × 384 · jpeg</span></div></div>'
        '<div class="infopt"><div class="lnkw"><a>pictures.test</a></div></div></div>'
    )


def _openverse(request: Request, results: Results) -> Reply:
    query = query_of(request)
    page, size = _number(request.query.get("page"), 1), _number(request.query.get("page_size"), 20)
    if size > 20 or page * size > 240:
        return Reply(b'{"detail":"Authentication is required."}', 401, _JSON)
    rows = [
        {
            "id": f"00000000-0000-0000-0000-{number:012}",
            "title": results.title(number, query),
            "foreign_landing_url": _landing(url),
            "url": url,
            "creator": f"Photographer {number % 7}",
            "license": ("by", "by-sa", "cc0")[number % 3],
            "license_version": ("2.0", "4.0", "1.0")[number % 3],
            "license_url": f"https://creativecommons.org/licenses/{number % 3}/",
            "width": 512,
            "height": 384,
        }
        for number, url in _page(results.urls, (page - 1) * size, size)
    ]
    pages = -(-len(results.urls) // size)
    body = {"result_count": len(results.urls), "page_count": pages, "page": page, "results": rows}
    return Reply(json.dumps(body).encode(), content_type=_JSON)


def _wikimedia(request: Request, results: Results) -> Reply:
    start, size = (
        _number(request.query.get("gsroffset"), 0),
        _number(request.query.get("gsrlimit"), 10),
    )
    pages = [
        _wikimedia_page(number, url, results.title(number, query_of(request)))
        for number, url in _page(results.urls, start, size)
    ]
    body: dict[str, object] = {"batchcomplete": True}
    if pages:  # the real one leaves `query` out where it finds nothing, and sorts by page id
        body["query"] = {"pages": sorted(pages, key=lambda page: str(page["pageid"]))}
    if start + size < len(results.urls):
        body["continue"] = {"gsroffset": start + size, "continue": "gsroffset||"}
    return Reply(json.dumps(body).encode(), content_type=_JSON)


def _wikimedia_page(number: int, url: str, title: str | None) -> dict[str, object]:
    told = {
        "LicenseShortName": "CC BY-SA 4.0",
        "LicenseUrl": "https://creativecommons.org/licenses/by-sa/4.0",
        "Artist": f'<a href="//commons.wikimedia.org/wiki/User:A">Ann &amp; Bob {number}</a>',
        **({"ObjectName": title} if title else {}),
    }
    info = {
        "url": f"{url}?original",
        "thumburl": url,
        "thumbwidth": 960,
        "thumbheight": 720,
        "width": 4000,
        "height": 3000,
        "descriptionurl": _landing(url),
        "extmetadata": {key: {"value": value, "source": "x"} for key, value in told.items()},
    }
    name = {"title": f"File:{number}.jpg"} if title else {"title": None}
    return {
        "pageid": 7919 * (number + 1) % 10_007,
        "index": number + 1,
        **name,
        "imageinfo": [info],
    }


def _page(urls: list[str], start: int, size: int) -> list[tuple[int, str]]:
    return list(enumerate(urls))[start : start + size]


def _landing(url: str) -> str:
    return f"https://landing.test/{quote_plus(url)}"


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default
