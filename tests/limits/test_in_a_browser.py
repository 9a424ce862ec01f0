"""A real browser before a full house, on a phone: it waits, comes in, and is asleep in the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser import a_screen
from tests.limits.conftest import Host
from tests.limits.guest import Guest
from tests.servers import until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def one_place(a_host: Host) -> Iterator[str]:
    with a_host("--visitors", "1", KEZAKO_IDLE="8") as address:
        yield address


@pytest.fixture
def another_phone(a_browser: Browser) -> Iterator[Page]:
    yield from a_screen(a_browser, viewport={"width": 390, "height": 844}, is_mobile=True)


def test_who_waits_comes_in_when_the_tab_before_is_closed(
    one_place: str, a_phone: Page, another_phone: Page
) -> None:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    a_phone.on("console", note)
    a_phone.goto(one_place)
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    another_phone.goto(one_place)
    expect(another_phone.get_by_role("heading", name="All places are taken")).to_be_visible()
    assert another_phone.evaluate("document.documentElement.scrollWidth") <= 390
    a_phone.close(run_before_unload=True)
    expect(another_phone.locator("html")).to_have_attribute("data-kezako", "live")
    assert complaints == []
    another_phone.close(run_before_unload=True)


def test_a_page_that_fell_asleep_says_so_and_starts_again(one_place: str, a_phone: Page) -> None:
    a_phone.goto(one_place)
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    expect(a_phone.get_by_role("alert")).to_contain_text("asleep")
    a_phone.get_by_role("button", name="Start again").click()
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    a_phone.close(run_before_unload=True)


def test_a_closed_tab_leaves_nothing_behind(one_place: str, a_phone: Page) -> None:
    a_phone.goto(one_place)
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    kernel = Guest(one_place, a_phone.evaluate(
        "JSON.parse(document.getElementById('kezako-page').textContent).kernelId"
    ))  # fmt: skip
    assert not kernel.is_gone()
    a_phone.close(run_before_unload=True)
    until(kernel.is_gone, "The kernel lives on.")
