"""Pleasant on a phone and on a desk, as far as numbers can say."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.page.photos import drawn
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser

TAP = 44  # CSS pixels a finger needs
OVERFLOWING = """() => [...document.querySelectorAll('body, body *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.offsetParent).length"""


@pytest.mark.parametrize("screen", ["a_phone", "a_desk"])
def test_the_page_fits(screen: str, request: pytest.FixtureRequest, a_voila: str) -> None:
    page: Page = request.getfixturevalue(screen)
    visitor = Visitor(page).opens(a_voila + "?model=colours")
    visitor.chooses("a-long-name-without-any-space-" * 5 + ".jpg", drawn(size=(1600, 900)))
    visitor.reads()
    assert page.evaluate(OVERFLOWING) == 0
    for target in (visitor.another, page.get_by_role("combobox")):
        box = target.bounding_box()
        assert box
        assert box["height"] >= TAP
        assert box["width"] >= TAP
    widest = page.evaluate("document.querySelector('.kezako').getBoundingClientRect().width")
    assert widest <= 640
    size = visitor.answer.evaluate("label => parseFloat(getComputedStyle(label).fontSize)")
    assert size >= 18
