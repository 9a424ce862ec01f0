"""After an answer, photo, answer and what can be done next are in sight without scrolling."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import a_screen
from tests.page.photos import drawn
from tests.page.test_layout import OVERFLOWING
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser

SCREENS = {"phone": (390, 664), "small": (320, 568), "desk": (1280, 800)}
SHAPES = {
    "landscape": (1600, 1200), "portrait": (1200, 1600), "square": (900, 900),
    "tall": (400, 2800), "wide": (2800, 400),
}  # fmt: skip
BOXES = """selectors => selectors.map(selector => {
    const box = document.querySelector(selector).getBoundingClientRect();
    return [selector, box.top, box.bottom, box.width];
})"""
WANTED = [
    ".kezako h1", ".kezako > .widget-output img", ".kezako > .widget-label", ".kezako-bars ul",
    ".kezako > button", ".kezako-why button",
]  # fmt: skip
LARGER = "html { font-size: 200% !important; }"


@pytest.fixture(scope="module", params=SCREENS)
def a_window(request: pytest.FixtureRequest, a_browser: Browser) -> Iterator[Page]:
    width, height = SCREENS[request.param]
    touch = request.param != "desk"
    yield from a_screen(
        a_browser, viewport={"width": width, "height": height}, is_mobile=touch, has_touch=touch
    )


@pytest.mark.parametrize("server", ["a_kezako_serve", "a_voila"])
def test_photo_and_answer_fit_the_screen(
    server: str, request: pytest.FixtureRequest, a_window: Page
) -> None:
    visitor = Visitor(a_window).opens(request.getfixturevalue(server) + "?model=looking")
    for name, size in SHAPES.items():
        visitor.chooses(f"{name}.png", drawn("PNG", size=size))
        assert visitor.reads() == "This is red."
        expect(a_window.get_by_role("button", name="Why?")).to_be_visible()
        screen = a_window.viewport_size
        assert screen
        for what, top, bottom, width in a_window.evaluate(BOXES, WANTED):
            assert top >= 0, (name, what)
            assert bottom <= screen["height"], (name, what)
            assert width > 0, (name, what)
        photo = visitor.picture.bounding_box()
        assert photo
        assert photo["height"] <= 0.45 * screen["height"] + 1
        # Neither stretched nor squeezed.
        assert photo["width"] / photo["height"] == pytest.approx(size[0] / size[1], rel=0.03)
        assert a_window.evaluate(OVERFLOWING) == 0
    a_window.get_by_role("button", name="Why?").click()
    expect(a_window.locator(".kezako-legend p").first).to_be_in_viewport(ratio=1)
    expect(a_window.get_by_role("button", name="Hide")).to_be_in_viewport(ratio=1)


def test_larger_text_fits_too(a_window: Page, a_kezako_serve: str) -> None:
    """Text of twice the size, as a browser's settings may ask for."""
    visitor = Visitor(a_window).opens(a_kezako_serve + "?model=looking")
    expect(a_window.locator("html")).to_have_attribute("data-kezako", "live")
    small = a_window.locator("h1").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    a_window.add_style_tag(content=LARGER)
    large = a_window.locator("h1").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert large >= 1.4 * small
    assert a_window.evaluate(OVERFLOWING) == 0
    visitor.chooses("p.png", drawn("PNG"))
    assert visitor.reads() == "This is red."
    assert a_window.evaluate(OVERFLOWING) == 0
    cut = "e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1"
    for part in (visitor.answer, visitor.another, a_window.get_by_role("button", name="Why?")):
        assert not part.evaluate(cut)
