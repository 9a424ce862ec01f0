"""The page is in the visitor's language wherever it is served, and in English for all others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from kezako.words import words
from tests.browser import a_screen
from tests.page.photos import drawn

pytestmark = pytest.mark.browser

ANSWER = ".kezako > .widget-label"
BARS = ".kezako-bars li"
GERMAN = words("de")


@contextmanager
def a_visitor(browser: Browser, locale: str) -> Iterator[Page]:
    yield from a_screen(browser, viewport={"width": 390, "height": 664}, locale=locale)


def chooses(page: Page, name: str, content: bytes) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator(".widget-upload").click()
    chooser.value.set_files({"name": name, "mimeType": "", "buffer": content})


def expect_german(page: Page, address: str) -> None:
    page.goto(address, wait_until="commit")
    upload = page.locator(".widget-upload")
    expect(upload).to_contain_text(GERMAN("choose"))
    expect(page.locator(".kezako-promise")).to_contain_text(GERMAN("promise"))
    chooses(page, "schlecht.jpg", b"nothing of the kind")
    expect(page.locator(ANSWER)).to_have_text(f"schlecht.jpg: {GERMAN('picture_none')}")


@pytest.mark.parametrize("server", ["a_kezako_serve", "a_voila", "a_jupyter_server"])
def test_german(server: str, request: pytest.FixtureRequest, a_browser: Browser) -> None:
    address = request.getfixturevalue(server)
    with a_visitor(a_browser, "de-AT") as page:
        query = "&model=colours" if "?" in address else "?model=colours"
        expect_german(page, address + query)


def test_the_answer_and_what_the_front_end_says(a_kezako_serve: str, a_browser: Browser) -> None:
    with a_visitor(a_browser, "de-DE") as page:
        page.goto(a_kezako_serve + "?model=looking")
        expect(page.locator("html[data-kezako=live]")).to_be_attached()
        assert page.locator("html").get_attribute("lang") == "de"
        chooses(page, "rot.jpg", drawn(size=(300, 300)))
        expect(page.locator(BARS).first).to_be_visible()
        for key in ("another", "why"):
            expect(page.get_by_role("button", name=GERMAN(key), exact=True)).to_be_visible()
        page.context.set_offline(True)
        notice = page.locator("#kezako-notice")
        expect(notice).to_contain_text(GERMAN("lost"))
        expect(notice.get_by_role("button")).to_have_text(GERMAN("close"))


def test_the_server_draws_it_in_german(a_kezako_serve: str, a_browser: Browser) -> None:
    context = a_browser.new_context(locale="de-DE", java_script_enabled=False)
    page = context.new_page()
    page.goto(a_kezako_serve)
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.locator("noscript").inner_text() == GERMAN("noscript")
    expect(page.locator(".widget-upload")).to_contain_text(GERMAN("choose"))
    context.close()


@pytest.mark.parametrize("server", ["a_kezako_serve", "a_voila"])
def test_an_unknown_language_is_english(
    server: str, request: pytest.FixtureRequest, a_browser: Browser
) -> None:
    with a_visitor(a_browser, "eo") as page:
        page.goto(request.getfixturevalue(server) + "?model=colours", wait_until="commit")
        expect(page.locator(".widget-upload")).to_contain_text("Take or choose a photo")
        chooses(page, "bad.jpg", b"nothing of the kind")
        expect(page.locator(ANSWER)).to_contain_text("bad.jpg: This file is not a picture.")
