"""The server draws the page; the script takes it over without a jump, and loses no choice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.page.photos import drawn
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser

SCRIPTS = "**/static/*.js"
BOXES = """() => [...document.querySelectorAll('.kezako *')]
    .filter(e => e.offsetParent && !e.closest('label.widget-label'))
    .map(e => [e.tagName, ...['x', 'y', 'width', 'height'].map(side =>
        Math.round(10 * e.getBoundingClientRect()[side]) / 10)].join(' '))"""
SHIFTS = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => list.getEntries().forEach(entry => sum += entry.value))
        .observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => done(sum), 100);
})"""


def held(page: Page) -> Callable[[], None]:
    """Keep the script from `page`; what lets it come."""
    waiting: list[Route] = []
    page.route(SCRIPTS, lambda route: waiting.append(route))

    def release() -> None:
        page.route(SCRIPTS, lambda route: route.continue_())  # the newest rule is asked first
        for route in waiting:
            route.continue_()

    return release


def opened_without_script(page: Page, address: str) -> Callable[[], None]:
    release = held(page)
    page.goto(address, wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return release


def test_words_and_layout_are_there_before_the_script(a_phone: Page, a_kezako_serve: str) -> None:
    release = opened_without_script(a_phone, a_kezako_serve + "?model=colours")
    expect(a_phone.get_by_text("Take or choose a photo").first).to_be_visible()
    expect(a_phone.locator(".kezako > button")).to_be_hidden()
    before = a_phone.evaluate(BOXES)
    release()
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    assert a_phone.evaluate(BOXES) == before
    assert a_phone.evaluate(SHIFTS) < 0.01


def test_a_photo_chosen_before_the_script_counts(a_phone: Page, a_kezako_serve: str) -> None:
    release = opened_without_script(a_phone, a_kezako_serve + "?model=colours")
    with a_phone.expect_file_chooser() as chooser:
        a_phone.locator(".widget-upload").click()
    photo = {"name": "early.jpg", "mimeType": "image/jpeg", "buffer": drawn()}
    chooser.value.set_files(photo)  # type: ignore[arg-type]
    release()
    visitor = Visitor(a_phone)
    assert visitor.reads() == "This is red."


def test_a_photo_chosen_in_a_dialog_opened_before_the_script_counts(
    a_phone: Page, a_kezako_serve: str
) -> None:
    release = opened_without_script(a_phone, a_kezako_serve + "?model=colours")
    with a_phone.expect_file_chooser() as chooser:
        a_phone.locator(".widget-upload").click()
    release()
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    photo = {"name": "late.jpg", "mimeType": "image/jpeg", "buffer": drawn()}
    chooser.value.set_files(photo)  # type: ignore[arg-type]
    visitor = Visitor(a_phone)
    assert visitor.reads() == "This is red."


def test_a_classifier_chosen_before_the_script_counts(a_phone: Page, a_kezako_serve: str) -> None:
    release = opened_without_script(a_phone, a_kezako_serve + "?model=colours")
    a_phone.get_by_role("combobox").select_option(label="tints")
    release()
    expect(a_phone.get_by_role("heading", level=1)).to_have_text("Which of tints?")


def test_the_focus_stays(a_phone: Page, a_kezako_serve: str) -> None:
    release = opened_without_script(a_phone, a_kezako_serve + "?model=colours")
    a_phone.locator(".widget-upload input").focus()
    release()
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    expect(a_phone.locator(".widget-upload input")).to_be_focused()
