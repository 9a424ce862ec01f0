"""What a visitor's photo looks like on the page is what the API makes of the same file."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from kezako.pictures import open_picture
from tests import profiles
from tests.api.odd_whole import chunk, png
from tests.frontend.test_upload import told
from tests.page.photos import encoded
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser

SIDE = 1400  # pixels: more than travel, so that the browser makes it smaller where it may
WHERE = ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9))
PIXELS = """(image, where) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    return where.map(([x, y]) =>
        [...pen.getImageData(x * canvas.width, y * canvas.height, 1, 1).data.slice(0, 3)]);
}"""


def quarters(mode: str, *colours: Any) -> Image.Image:
    image = Image.new(mode, (SIDE, SIDE))
    half = SIDE // 2
    for number, colour in enumerate(colours):
        left, top = half * (number % 2), half * (number // 2)
        image.paste(colour, (left, top, left + half, top + half))
    # Grain in the middle, where nobody looks: a file of few bytes would travel as it is.
    grain = np.random.default_rng(0).integers(0, 256, (half, half, len(mode)), np.uint8)
    image.paste(Image.fromarray(grain, mode), (half // 2, half // 2))
    return image


def of_twelve_bits() -> bytes:
    """Nearly black to a browser, which takes them for sixteen."""
    row = np.linspace(0, 4095, SIDE).astype(">u2").repeat(3).tobytes()
    return png((SIDE, SIDE), 16, 2, chunk(b"IDAT", zlib.compress((b"\0" + row) * SIDE)))


SCREEN = quarters("RGB", (200, 100, 50), (60, 160, 90), (90, 90, 180), (128, 128, 128))
INKS = quarters("CMYK", (0, 0, 0, 0), (0, 0, 0, 200), (200, 0, 0, 0), (90, 200, 40, 60))
LARGE = {
    "phone.jpg": encoded(SCREEN, "JPEG", quality=95, icc_profile=profiles.display_p3()),
    "camera.png": encoded(SCREEN, "PNG", icc_profile=profiles.adobe_rgb()),
}
ODD = {
    "print.jpg": encoded(INKS, "JPEG", quality=95, icc_profile=profiles.press()),
    "lab.png": of_twelve_bits(),
}


@pytest.mark.parametrize("name", [*LARGE, *ODD])
def test_page_and_api_see_the_same_colours(name: str, a_phone: Page, a_kezako_serve: str) -> None:
    photo = {**LARGE, **ODD}[name]
    frames = told(a_phone)
    visitor = Visitor(a_phone).opens(a_kezako_serve + "?model=colours")
    visitor.chooses(name, photo)
    expect(visitor.picture).to_be_visible()
    shown = np.array(visitor.picture.evaluate(PIXELS, WHERE))
    opened = open_picture(photo)
    meant = [opened.getpixel((int(x * SIDE), int(y * SIDE))) for x, y in WHERE]
    assert np.abs(shown - meant).max() <= 8  # of 255, after one or two JPEGs
    assert any(photo in frame for frame in frames) == (name in ODD)
