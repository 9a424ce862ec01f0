"""A photo is on show and on its way at once: taps, progress, a way back, and odd choices."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.frontend.conftest import ROOT, light_voila
from tests.frontend.network import Network
from tests.page.photos import drawn
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser

LIVE = ("data-kezako", "live")
SENDING = ("data-upload", "sending")
LARGE = bytes(9_000_000)  # no picture, so it travels whole
DROP = """([files, address]) => {
    const transfer = new DataTransfer();
    for (const [name, data] of files) {
        const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
    }
    if (address) transfer.setData("text/uri-list", address);
    document.querySelector("h1").dispatchEvent(
        new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def a_visitor(a_phone: Page, a_network: Network) -> Visitor:
    visitor = Visitor(a_phone).opens(a_network.address + "?model=colours")
    expect(a_phone.locator("html")).to_have_attribute(*LIVE)
    return visitor


def drop(page: Page, *files: tuple[str, bytes], address: str = "") -> None:
    page.evaluate(DROP, [[(n, base64.b64encode(c).decode()) for n, c in files], address])


def test_two_taps_from_an_open_page_to_an_answer(a_phone: Page, a_kezako_serve: str) -> None:
    """One on the page, one on the photo in the system's own chooser."""
    a_phone.goto(a_kezako_serve + "?model=colours")
    expect(a_phone.locator("html")).to_have_attribute(*LIVE)
    taps = 0
    with a_phone.expect_file_chooser() as chooser:
        a_phone.locator(".widget-upload input").tap()  # it lies over the words
        taps += 1
    chooser.value.set_files({"name": "p.jpg", "mimeType": "image/jpeg", "buffer": drawn()})
    taps += 1
    expect(a_phone.get_by_text("This is red.")).to_be_in_viewport()
    assert taps == 2
    with a_phone.expect_file_chooser() as chooser:  # and the next needs no more
        a_phone.get_by_role("button", name="Another photo").tap()
    chooser.value.set_files({"name": "q.jpg", "mimeType": "image/jpeg", "buffer": drawn()})
    expect(a_phone.locator("html")).not_to_have_attribute(*SENDING)
    expect(a_phone.get_by_text("This is red.")).to_be_in_viewport()


def test_a_photo_is_on_show_before_it_has_travelled(a_visitor: Visitor, a_network: Network) -> None:
    a_visitor.chooses("first.jpg", drawn())
    assert a_visitor.reads() == "This is red."
    first = a_visitor.picture.get_attribute("src")
    a_network.hold()
    a_visitor.gives("second.jpg", drawn(size=(90, 70)))
    expect(a_visitor.picture).not_to_have_attribute("src", str(first))
    expect(a_visitor.picture).to_have_count(1)
    assert a_visitor.picture.evaluate("image => image.naturalWidth") == 90
    expect(a_visitor.answer).to_be_hidden()  # it was said of another photo
    expect(a_visitor.bars.first).to_be_hidden()
    expect(a_visitor.page.get_by_role("progressbar")).to_be_visible()
    a_network.flow()
    assert a_visitor.reads() == "This is red."
    expect(a_visitor.page.get_by_role("progressbar")).to_have_count(0)
    assert a_visitor.picture.evaluate("image => image.naturalWidth") == 90


def test_the_photo_does_not_travel_back(a_visitor: Visitor, a_network: Network) -> None:
    photo = drawn("PNG", size=(900, 700))
    before = a_network.received
    a_visitor.chooses("there.png", photo)
    a_visitor.reads()
    shown = a_visitor.picture.get_attribute("src")
    assert shown
    assert shown.startswith("blob:")
    assert a_network.received - before < 20_000


def test_what_the_browser_cannot_show_is_shown_by_the_notebook(a_visitor: Visitor) -> None:
    a_visitor.chooses("apple.heic", drawn("HEIF"))
    assert a_visitor.reads() == "This is red."
    shown = a_visitor.picture.get_attribute("src")
    assert shown
    assert shown.startswith("data:image/jpeg")


def test_sending_tells_how_far_it_is_and_can_be_cancelled(
    a_visitor: Visitor, a_network: Network
) -> None:
    page = a_visitor.page
    a_visitor.chooses("before.jpg", drawn())
    kept = a_visitor.picture.get_attribute("src")
    a_network.hold()
    a_visitor.gives("film.bin", LARGE)
    expect(page.locator(".kezako-sending")).to_contain_text("Sending your photo, ")
    assert float(str(page.get_by_role("progressbar").get_attribute("value"))) < 1
    page.get_by_role("button", name="Cancel").click()
    a_network.flow()
    expect(page.locator("html")).not_to_have_attribute(*SENDING)
    expect(page.locator("html")).to_have_attribute(*LIVE)
    # The photo before and its answer stand again.
    assert a_visitor.picture.get_attribute("src") == kept
    assert a_visitor.sentence == "This is red."
    expect(a_visitor.answer).to_be_visible()
    a_visitor.chooses("after.jpg", drawn(size=(90, 70)))
    assert a_visitor.reads() == "This is red."
    assert a_visitor.picture.evaluate("image => image.naturalWidth") == 90


def test_a_newer_choice_replaces_one_that_is_being_sent(
    a_visitor: Visitor, a_network: Network
) -> None:
    a_network.hold()
    a_visitor.gives("film.bin", LARGE)
    expect(a_visitor.page.get_by_role("progressbar")).to_be_visible()
    drop(a_visitor.page, ("newer.jpg", drawn()))
    a_network.flow()
    assert a_visitor.reads() == "This is red."


def test_of_two_files_the_first_is_taken(a_visitor: Visitor) -> None:
    page = a_visitor.page
    blue = drawn(mode="L")
    drop(page, ("one.jpg", drawn()), ("two.jpg", blue))
    expect(page.get_by_role("alert")).to_contain_text("One photo at a time: one.jpg was taken.")
    assert a_visitor.reads() == "This is red."


def test_the_address_of_a_picture_is_no_picture(a_visitor: Visitor) -> None:
    page = a_visitor.page
    drop(page, address="https://example.org/bear.jpg")
    expect(page.get_by_role("alert")).to_contain_text("only the address of a picture")
    expect(page.locator("html")).not_to_have_attribute(*SENDING)
    assert a_visitor.chooses("p.jpg", drawn()).reads() == "This is red."


def test_a_photo_stays_on_show_through_a_lost_connection(
    a_visitor: Visitor, a_network: Network
) -> None:
    page = a_visitor.page
    a_visitor.chooses("p.jpg", drawn())
    shown = a_visitor.picture.get_attribute("src")
    a_network.cut()
    expect(page.locator("html")).to_have_attribute("data-kezako", "lost")
    a_network.mend()
    expect(page.locator("html")).to_have_attribute(*LIVE)
    assert a_visitor.picture.get_attribute("src") == shown
    assert a_visitor.reads() == "This is red."


@pytest.fixture(scope="module")
def a_page_that_waits(a_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A maker's notebook with `at_once = False`."""
    folder = tmp_path_factory.mktemp("waits")
    notebook = json.loads((ROOT / "notebooks" / "app.ipynb").read_text("utf-8"))
    first = "".join(notebook["cells"][0]["source"])
    assert "at_once = True" in first
    notebook["cells"][0]["source"] = first.replace("at_once = True", "at_once = False")
    (folder / "app.ipynb").write_text(json.dumps(notebook), "utf-8")
    shutil.copy(ROOT / "voila.json", folder)
    yield from light_voila(folder / "app.ipynb", a_workspace)


def test_a_maker_may_let_visitors_press_classify(a_page_that_waits: str, a_phone: Page) -> None:
    visitor = Visitor(a_phone).opens(a_page_that_waits + "?model=colours")
    visitor.chooses("mine.jpg", drawn())
    assert visitor.sentence == "mine.jpg is ready: press Classify."
    expect(visitor.picture).to_be_visible()
    expect(visitor.upload).to_be_in_viewport()
    visitor.button.click()
    expect(visitor.answer).to_have_text("This is red.")
    expect(visitor.another).to_be_visible()
