"""Chromium, on a desk and on a phone; Firefox and WebKit are in `tests/other_browsers.py`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.needs import needs
from tests.servers import DEADLINE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# Without windows it takes a fifth less of the processor.
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def a_browser() -> Iterator[Browser]:
    """Chromium, headless."""
    from playwright.sync_api import expect, sync_playwright  # here: most tests open no browser

    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        except Exception as error:
            needs("Chromium", False, str(error))
        expect.set_options(timeout=DEADLINE * 1000)
        yield browser
        browser.close()


@pytest.fixture
def a_desk(a_browser: Browser) -> Iterator[Page]:
    """A page on a desk, 1280 pixels wide."""
    yield from a_screen(a_browser, viewport={"width": 1280, "height": 900})


@pytest.fixture
def a_phone(a_browser: Browser) -> Iterator[Page]:
    """A page on a phone, 390 pixels wide."""
    yield from a_screen(
        a_browser,
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        device_scale_factor=3,
    )


def a_screen(browser: Browser, **settings: Any) -> Iterator[Page]:
    """A page of its own, which reaches nothing outside this machine."""
    context: BrowserContext = browser.new_context(**settings)
    context.route(
        lambda url: "//127.0.0.1:" not in url and "//localhost:" not in url,
        lambda route: route.abort(),
    )  # no test reaches outside
    context.set_default_timeout(DEADLINE * 1000)
    yield context.new_page()
    context.close()
