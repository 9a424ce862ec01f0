"""What a phone needs of the page, as far as a script can look: fit, reach, words and no jumps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import a_screen
from tests.frontend.conftest import PHONE
from tests.page.photos import drawn
from tests.page.visitor import Visitor
from tests.servers import serving

pytestmark = pytest.mark.browser

TAP = 44  # CSS pixels a finger needs
TEXT = 16  # CSS pixels; on typing into smaller text, phones enlarge the page and leave it so
JUMPS = 0.1  # of the layout, added up; what search engines call good

SMALL = """least => [...document.querySelectorAll('button, input, select, textarea, a, summary')]
    .map(target => ['checkbox', 'radio'].includes(target.type)
        ? target.closest('label') ?? target : target)
    .filter(target => target.checkVisibility())
    .map(target => [target, target.getBoundingClientRect()])
    .filter(([_, box]) => box.width < least - 0.5 || box.height < least - 0.5)
    .map(([target, box]) => `${target.outerHTML.slice(0, 120)}: ${box.width} x ${box.height}`)"""
TINY = """least => [...document.querySelectorAll('input, select, textarea')]
    .filter(field => field.checkVisibility() && !['file', 'checkbox', 'radio'].includes(field.type))
    .filter(field => parseFloat(getComputedStyle(field).fontSize) < least)
    .map(field => field.outerHTML.slice(0, 120))"""
# Kept from the start, because a phone's timeline is read at the end of the story.
WATCH = """window.jumps = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) jumps += entry.value;
}).observe({ type: 'layout-shift', buffered: true });"""
PAINTED = """() => new Promise(resolve => new PerformanceObserver(list => {
    for (const entry of list.getEntries())
        if (entry.name == 'first-contentful-paint') resolve(entry.startTime);
}).observe({ type: 'paint', buffered: true }))"""


@pytest.fixture(scope="module")
def a_server(a_workspace: Path) -> Iterator[str]:
    """`kezako serve` with everything that a page can show."""
    yield from serving(
        ["-m", "kezako", "serve", "--no-browser", "--port", "{port}"],
        a_workspace, "healthz", KEZAKO_CORRECTIONS="1",
    )  # fmt: skip


@pytest.fixture(scope="module")
def one_phone(a_browser: Browser) -> Iterator[Page]:
    screen = a_screen(
        a_browser, viewport=PHONE, is_mobile=True, has_touch=True, device_scale_factor=3
    )
    for page in screen:
        page.add_init_script(WATCH)
        yield page


def check(page: Page) -> None:
    """Everything can be reached, and nothing reaches over the edge."""
    edge: dict[str, Any] = page.evaluate(
        "() => ({ wide: document.scrollingElement.scrollWidth, screen: innerWidth })"
    )
    assert edge["wide"] <= edge["screen"] == PHONE["width"]
    assert page.evaluate(SMALL, TAP) == []
    assert page.evaluate(TINY, TEXT) == []


def test_the_story_fits_a_phone(one_phone: Page, a_server: str) -> None:
    visitor = Visitor(one_phone).opens(a_server + "?model=bears")
    expect(one_phone.locator("html")).to_have_attribute("data-kezako", "live")
    print(f"first paint after {one_phone.evaluate(PAINTED):.0f} ms")
    check(one_phone)
    visitor.chooses("a-very-long-name-without-a-space-" * 4 + ".jpg", drawn(size=(1600, 900)))
    check(one_phone)
    visitor.reads()
    expect(one_phone.get_by_role("button", name="That’s wrong")).to_be_visible()
    check(one_phone)
    one_phone.get_by_role("button", name="That’s wrong").click()
    expect(one_phone.get_by_role("checkbox")).to_be_visible()
    check(one_phone)
    for summary in one_phone.locator("summary").all():
        if summary.is_visible():
            summary.click()
    check(one_phone)
    assert one_phone.evaluate("jumps") < JUMPS


def test_a_refusal_fits_a_phone(one_phone: Page, a_server: str) -> None:
    visitor = Visitor(one_phone).opens(a_server + "?model=colours")
    visitor.chooses("a-very-long-name-without-a-space-" * 4 + ".jpg", b"this is no picture")
    expect(visitor.answer).to_contain_text("not a picture")
    check(one_phone)
    assert one_phone.evaluate("jumps") < JUMPS


def test_hostile_names_fit_a_phone(one_phone: Page, a_server: str) -> None:
    Visitor(one_phone).opens(a_server + "?model=hostile").chooses("p.jpg", drawn()).reads()
    check(one_phone)


def test_an_ended_page_fits_a_phone(one_phone: Page, a_server: str) -> None:
    Visitor(one_phone).opens(a_server + "?model=colours")
    kernel = one_phone.evaluate(
        "JSON.parse(document.getElementById('kezako-page').textContent).kernelId"
    )
    left = one_phone.request.post(f"{a_server}voila/api/shutdown/{kernel}")
    assert left.status == 204
    expect(one_phone.get_by_role("button", name="Start again")).to_be_visible()
    check(one_phone)


@pytest.mark.parametrize("path", ["?model=colours", "nothing-is-here"])
def test_every_page_tells_phones_and_readers_what_it_is(
    one_phone: Page, a_server: str, path: str
) -> None:
    one_phone.goto(a_server + path)
    head = one_phone.locator("head")
    content = head.locator("meta[name=viewport]").get_attribute("content")
    assert content
    assert "width=device-width" in content
    assert "user-scalable" not in content  # whoever sees badly may enlarge it
    assert "maximum-scale" not in content
    assert one_phone.locator("html").get_attribute("lang") == "en"
    assert one_phone.title()
    assert one_phone.locator("h1").count() == 1
