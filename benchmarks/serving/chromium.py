"""A visitor in Chromium: time until usable, bytes transferred, time from click to answer."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright
from playwright.sync_api import TimeoutError as NotYet

WAIT = 120_000  # timeout of one step in milliseconds, for a busy machine
QUIET = 0.7  # seconds without traffic; then the page has loaded

PAINTED = """() => new Promise(resolve => new PerformanceObserver(list => {
    for (const entry of list.getEntries())
        if (entry.name === "first-contentful-paint") resolve(entry.startTime);
}).observe({type: "paint", buffered: true}))"""


@dataclass(frozen=True)
class Hands:
    """Selectors for a peer's page: where to click, and what to wait for."""

    upload: str
    taken: str  # exists once the photo is on show
    send: str  # the button to press then; empty: a photo is classified at once
    answer: str
    live: str = "html"  # exists once the page is connected to its server, if it shows that


_WIDGETS = Hands(
    upload=".widget-upload",
    taken='.widget-upload:has-text("(1)")',
    send='button:text-is("Classify")',
    answer='.widget-label:has-text("Prediction:")',
)
HANDS = {
    "stock": _WIDGETS,
    "preheated": _WIDGETS,
    "gradio": Hands(
        upload='button[aria-label*="upload" i], button:has-text("Click to Upload")',
        taken='[data-testid="image"] img, .image-frame img',
        send='button:text-is("Submit")',
        answer='[data-testid="label-output-value"]',
    ),
    "kezako": Hands(
        upload=".widget-upload",
        taken=".kezako > .widget-output img",
        send="",
        answer=".kezako-bars li >> nth=0",
        live='html[data-kezako="live"]',
    ),
}


@dataclass(frozen=True)
class Link:
    """A network link between visitor and server."""

    down: float = 1.6e6  # bits per second
    up: float = 0.75e6
    delay: float = 150  # milliseconds

    @property
    def conditions(self) -> dict[str, Any]:
        return {
            "offline": False,
            "latency": self.delay,
            "downloadThroughput": self.down / 8,
            "uploadThroughput": self.up / 8,
        }


@dataclass
class Wire:
    """What a page has requested and received since it was opened."""

    requests: int = 0
    frames: int = 0  # bytes in websockets, both ways, before compression
    last: float = field(default_factory=time.monotonic)  # time of the last transfer
    _sizes: dict[str, float] = field(default_factory=dict)  # bytes by request, including headers

    @property
    def bytes(self) -> float:
        return sum(self._sizes.values())

    def listen(self, session: CDPSession) -> None:
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.dataReceived", self._came)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.webSocketFrameReceived", self._frame)
        session.on("Network.webSocketFrameSent", self._frame)
        session.send("Network.enable")

    def _asked(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):  # not data: and blob:
            self.requests += 1
            self.last = time.monotonic()

    def _came(self, event: dict[str, Any]) -> None:
        size = self._sizes.get(event["requestId"], 0)
        self._sizes[event["requestId"]] = size + event["encodedDataLength"]
        self.last = time.monotonic()

    def _finished(self, event: dict[str, Any]) -> None:
        self._sizes[event["requestId"]] = event["encodedDataLength"]
        self.last = time.monotonic()

    def _frame(self, event: dict[str, Any]) -> None:
        frame = event["response"]
        size = len(frame["payloadData"])
        # Binary frames are reported in base64.
        self.frames += size * 3 // 4 if frame["opcode"] == 2 else size
        self.last = time.monotonic()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium without network access: scripts and fonts from other hosts fail at once."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    here = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", here, "--no-proxy-server"]
        )
        yield browser
        browser.close()


def visit(
    browser: Browser,
    peer: str,
    address: str,
    photo: bytes | None = None,  # if given, it is classified once the page is ready
    link: Link | None = None,
) -> dict[str, float]:
    """Measurements of one fresh visitor, by name with unit."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    context.set_default_timeout(WAIT)
    try:
        return _visit(context, HANDS[peer], address, photo, link)
    finally:
        context.close()


def _visit(
    context: BrowserContext, hands: Hands, address: str, photo: bytes | None, link: Link | None
) -> dict[str, float]:
    page = context.new_page()
    session, wire = context.new_cdp_session(page), Wire()
    wire.listen(session)
    if link:
        session.send("Network.emulateNetworkConditions", link.conditions)
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    _choose(page, hands)
    page.wait_for_selector(hands.live, state="attached")
    usable = time.perf_counter() - started
    painted = page.evaluate(PAINTED) / 1000
    while time.monotonic() - wire.last < QUIET:
        page.wait_for_timeout(100)
    found = {
        "usable s": usable,
        "painted s": painted,
        "HTTP KB": wire.bytes / 1000,
        "websocket KB": wire.frames / 1000,
        "requests": wire.requests,
    }
    if photo is not None:
        found |= _classify(page, hands, photo)
    return found


def _choose(page: Page, hands: Hands) -> Any:
    """The file chooser that opens on a click on the upload control, clicked as often as needed."""
    button = page.locator(hands.upload).first
    button.wait_for()
    for _ in range(WAIT // 100):
        try:
            with page.expect_file_chooser(timeout=100) as chooser:
                button.click(timeout=WAIT, no_wait_after=True)
            return chooser.value
        except NotYet:
            continue
    raise NotYet("The upload control opens no file chooser.")


def _classify(page: Page, hands: Hands, photo: bytes) -> dict[str, float]:
    """Seconds from choosing a photo until it is on show, and to its answer.

    The button, where there is one to press, is pressed as soon as possible.
    """
    chooser = _choose(page, hands)
    started = time.perf_counter()
    chooser.set_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo})
    page.wait_for_selector(hands.taken)
    shown = time.perf_counter() - started
    if hands.send:
        page.locator(hands.send).first.click()
    page.wait_for_selector(hands.answer)
    return {"shown s": shown, "answer s": time.perf_counter() - started}
