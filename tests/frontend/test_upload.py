"""Choosing, dropping and pasting; photos are made small before they travel, and tell no place."""

from __future__ import annotations

import base64
import os

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.frontend.network import Network
from tests.page.photos import drawn, encoded
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser

GIVE = """([kind, name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    const event = kind === 'paste'
        ? new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true })
        : new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.querySelector('h1').dispatchEvent(event);
}"""
SIZE = (3200, 2400)
GPS, LATITUDE = 0x8825, 2
PLACE = (48.0, 51.0, 29.25)  # degrees, minutes, seconds


def give(page: Page, kind: str, name: str, photo: bytes) -> None:
    page.evaluate(GIVE, [kind, name, "image/jpeg", base64.b64encode(photo).decode()])


def told(page: Page) -> list[bytes]:
    """Every websocket message that `page` will send."""
    frames: list[bytes] = []
    keep = lambda data: frames.append(data if isinstance(data, bytes) else data.encode())  # noqa: E731
    page.on("websocket", lambda socket: socket.on("framesent", keep))
    return frames


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_photo_can_be_given_by_hand(kind: str, a_phone: Page, a_kezako_serve: str) -> None:
    visitor = Visitor(a_phone).opens(a_kezako_serve + "?model=colours")
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    give(a_phone, kind, f"by-{kind}.jpg", drawn())
    assert visitor.reads() == "This is red."


def test_a_phones_photo_travels_small_and_upright(a_phone: Page, a_network: Network) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(GPS)[LATITUDE] = PLACE
    grain = Image.frombytes("RGB", SIZE, os.urandom(3 * SIZE[0] * SIZE[1]))
    photo = encoded(grain, "JPEG", exif=exif, quality=97)
    assert len(photo) > 10_000_000
    visitor = Visitor(a_phone).opens(a_network.address + "?model=colours")
    before = a_network.sent
    visitor.chooses("large.jpg", photo).reads()
    # A photograph of 1024 pixels has about 200 KB; noise is the worst there is.
    assert a_network.sent - before < 1_000_000
    expect(visitor.picture).to_be_visible()
    width, height = visitor.picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert width < height  # turned upright


def test_what_is_small_already_travels_as_it_is(a_phone: Page, a_kezako_serve: str) -> None:
    frames = told(a_phone)
    visitor = Visitor(a_phone).opens(a_kezako_serve + "?model=colours")
    drawing = drawn("PNG")
    visitor.chooses("small.png", drawing)
    assert any(drawing in frame for frame in frames)


@pytest.mark.parametrize("format", ["JPEG", "HEIF"])
def test_no_photo_tells_its_place(format: str, a_phone: Page, a_kezako_serve: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(GPS)[LATITUDE] = PLACE
    exif.get_ifd(GPS)[1] = "N"
    photo = drawn(format, exif=exif, size=(640, 480))
    packed = b"".join(n.to_bytes(4, order) for order in ("big",) for n in (48, 1, 51, 1))
    little = b"".join(n.to_bytes(4, "little") for n in (48, 1, 51, 1))
    assert packed in photo or little in photo
    frames = told(a_phone)
    visitor = Visitor(a_phone).opens(a_kezako_serve + "?model=colours")
    visitor.chooses("place.heic" if format == "HEIF" else "place.jpg", photo)
    assert any(len(frame) > 1000 for frame in frames), "the photo was not seen on its way"
    assert not any(packed in frame or little in frame for frame in frames)
    assert visitor.reads() == "This is red."


def test_what_is_too_large_is_said(a_phone: Page, a_light_voila: str) -> None:
    visitor = Visitor(a_phone).opens(a_light_voila + "?model=colours")
    with a_phone.expect_file_chooser() as chooser:
        visitor.upload.click()
    film = {"name": "film.mov", "mimeType": "video/quicktime", "buffer": bytes(11_000_000)}
    chooser.value.set_files(film)  # type: ignore[arg-type]
    notice = a_phone.get_by_role("alert")
    expect(notice).to_contain_text("film.mov has 11 MB, and at most 10 MB can be sent.")
    notice.get_by_role("button", name="Close").click()
    expect(notice).to_be_hidden()
    assert visitor.chooses("photo.jpg", drawn()).reads() == "This is red."
