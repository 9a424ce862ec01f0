"""The front end's own modules in a page, without a server: tests call their functions."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

SOURCE = Path(__file__).parents[2] / "frontend" / "src"
ADDRESS = "http://127.0.0.1:9/"  # nobody listens there; the test answers

PREPARED = """async ([name, type, data]) => {
    const { prepared } = await import("/photo.js");
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const begin = performance.now();
    const { content, ...said } = await prepared(new File([bytes], name, { type }));
    const seconds = (performance.now() - begin) / 1000;
    const url = await new Promise(resolve => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.readAsDataURL(new Blob([content]));
    });
    return { ...said, seconds, content: url.slice(url.indexOf(",") + 1) };
}"""


def with_sources(page: Page, config: str = '{"uploadLimit": 64000000}') -> Page:
    """`page`, from which `import("/photo.js")` and the others work."""

    def answer(route: Route) -> None:
        name = urlsplit(route.request.url).path.lstrip("/")
        if name:
            route.fulfill(content_type="text/javascript", body=(SOURCE / name).read_text("utf-8"))
        else:
            data = f'<script id="kezako-page" type="application/json">{config}</script>'
            route.fulfill(content_type="text/html", body=data)

    page.route(f"{ADDRESS}**", answer)
    page.goto(ADDRESS)
    return page


def prepared(page: Page, name: str, photo: bytes, type: str = "image/jpeg") -> dict[str, Any]:
    """What the page would send of a file; `content` as bytes, and the `seconds` it took."""
    said: dict[str, Any] = page.evaluate(PREPARED, [name, type, base64.b64encode(photo).decode()])
    return {**said, "content": base64.b64decode(said["content"])}
