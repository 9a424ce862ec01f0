"""After an answer, "Why?" lays over the photo the evidence for it, and takes it away again."""

from __future__ import annotations

import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.page.photos import drawn, encoded
from tests.page.test_layout import OVERFLOWING, TAP
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser


def red_at_the_top_left() -> bytes:
    image = Image.new("RGB", (400, 300), (124, 116, 104))
    image.paste((230, 20, 20), (0, 0, 100, 75))
    return encoded(image, "PNG")


@pytest.mark.parametrize("server", ["a_voila", "a_kezako_serve"])
def test_why_is_a_toggle(server: str, request: pytest.FixtureRequest, a_phone: Page) -> None:
    visitor = Visitor(a_phone).opens(request.getfixturevalue(server) + "?model=looking")
    toggle, legend = a_phone.get_by_role("button", name="Why?"), a_phone.locator(".kezako-legend p")
    visitor.chooses("red.png", red_at_the_top_left())
    assert visitor.reads() == "This is red."
    photo = visitor.picture.get_attribute("src")
    box = toggle.bounding_box()
    assert box
    assert min(box["height"], box["width"]) >= TAP
    toggle.click()
    expect(legend.first).to_have_text(
        "The more colour, the more that part of the photo speaks for “red”."
    )
    expect(visitor.picture).not_to_have_attribute("src", str(photo))
    expect(visitor.picture).to_have_count(1)
    assert a_phone.evaluate(OVERFLOWING) == 0
    if server == "a_kezako_serve":  # plain Voilà shows no alternative text of an Output's pictures
        words = "Your photo in grey, coloured where the evidence for red is: most of it "
        words += "at the top left."
        expect(visitor.picture).to_have_attribute("alt", words)
    a_phone.get_by_role("button", name="Hide").click()
    expect(legend).to_have_count(0)
    expect(visitor.picture).to_have_attribute("src", str(photo))
    toggle.click()
    expect(legend.first).to_be_visible()
    visitor.chooses("other.jpg", drawn())  # a new answer begins with its photo
    assert visitor.reads() == "This is red."
    expect(visitor.picture).not_to_have_attribute("alt", re.compile("grey"))
    expect(legend).to_have_count(0)


def test_a_classifier_that_cannot_tell_offers_no_why(a_voila: str, a_phone: Page) -> None:
    visitor = Visitor(a_phone).opens(a_voila + "?model=colours")
    visitor.chooses("red.png", red_at_the_top_left())
    assert visitor.reads() == "Probably red"
    expect(a_phone.get_by_role("button", name="Why?")).to_have_count(0)
