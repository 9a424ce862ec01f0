"""Whatever is sent, the visitor gets a label or a sentence, and the page works on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.page.photos import animated, drawn, huge, lying, sixteen_bit
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser

MIDDLE = """image => {
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.drawImage(image, 0, 0);
    return canvas.getImageData(image.naturalWidth / 2, image.naturalHeight / 2, 1, 1).data[0];
}"""

REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "text.jpg": (lambda: b"this is no picture\n" * 20, "not a picture"),
    "empty.jpg": (lambda: b"", "empty"),
    "truncated.jpg": (lambda: drawn(size=(600, 400))[:900], "damaged"),
    "huge.png": (huge, "too large"),
}
ANSWERED: dict[str, Callable[[], bytes]] = {
    "cmyk.jpg": lambda: drawn(mode="CMYK"),
    "animated.gif": animated,
    "web.webp": lambda: drawn("WEBP"),
    "lying.jpg": lying,
    "fifty-megapixel.png": lambda: drawn("PNG", size=(8660, 5780), compress_level=1),
    "apple.heic": lambda: drawn("HEIF"),
    "camera.tiff": lambda: drawn("TIFF"),
}


@pytest.fixture(scope="module")
def a_visitor(a_voila: str, one_desk: Page) -> Visitor:
    """One visitor, who stays on one page for all tests of this file."""
    return Visitor(one_desk).opens(a_voila + "?model=colours")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_gets_a_sentence(name: str, a_visitor: Visitor) -> None:
    content, reason = REFUSED[name]
    a_visitor.chooses(name, content())
    expect(a_visitor.answer).to_contain_text(reason)
    expect(a_visitor.another).to_be_hidden()
    expect(a_visitor.upload).to_be_visible()
    expect(a_visitor.picture).to_have_count(0)
    assert "Traceback" not in a_visitor.page.content()
    a_visitor.chooses(f"after {name}", drawn())
    assert a_visitor.reads() == "This is red."


@pytest.mark.parametrize("name", ANSWERED)
def test_every_kind_of_picture_gets_its_label(name: str, a_visitor: Visitor) -> None:
    a_visitor.chooses(name, ANSWERED[name]())
    expect(a_visitor.picture).to_be_visible()
    assert a_visitor.reads() == "This is red."


def test_a_grey_picture_of_16_bits_is_not_shown_white(a_visitor: Visitor) -> None:
    a_visitor.chooses("sixteen.png", sixteen_bit())
    expect(a_visitor.picture).to_be_visible()
    assert a_visitor.picture.evaluate(MIDDLE) == pytest.approx(122, abs=12)
    assert a_visitor.reads()


def test_a_lying_photo_is_shown_upright(a_visitor: Visitor) -> None:
    a_visitor.chooses("upright.jpg", lying())
    expect(a_visitor.picture).to_be_visible()
    width, height = a_visitor.picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert (width, height) == (80, 120)
