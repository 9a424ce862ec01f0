"""The visitor's page in Firefox and WebKit, whose style and script engines are not Chromium's."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.frontend.network import Network
from tests.other_browsers import PHONE, Engine, firefox, webkit
from tests.page.photos import drawn, encoded
from tests.servers import until

pytestmark = [pytest.mark.browser, pytest.mark.hosts]

ENGINES = {"firefox": firefox, "webkit": webkit}
LOOK = 100  # milliseconds between two looks of the page at how much has been sent
TAP = 44  # CSS pixels a finger needs
GREEN = (20, 200, 20)
TALL, WIDE = (600, 1400), (1400, 600)  # pixels
SEEN = """const element = document.querySelector(arguments[0]);
if (!element?.checkVisibility()) return null;
const { top, bottom, left, right, width, height } = element.getBoundingClientRect();
return { top, bottom, left, right, width, height };"""
REACHING_OVER = """return [...document.querySelectorAll('body, body *')]
    .filter(element => element.checkVisibility())
    .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
    .map(element => element.outerHTML.slice(0, 120))"""
GIVE = """const [kind, data] = arguments;
const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], 'given.jpg', { type: 'image/jpeg' }));
const event = new Event(kind, { bubbles: true, cancelable: true });
// Firefox gives a ClipboardEvent that a script has made no files.
const name = kind === 'paste' ? 'clipboardData' : 'dataTransfer';
Object.defineProperty(event, name, { value: transfer });
document.querySelector('h1').dispatchEvent(event);"""

PHOTO = ".kezako .jp-OutputArea img"
SENTENCE = ".kezako > .widget-label"
FILE = ".widget-upload input"
DROP = ".kezako-drop"
PROGRESS = ".kezako-sending progress"
ANOTHER = "button.kezako-chooser"
WHY = ".kezako-why button"
NOTICE = "#kezako-notice"


class Visitor:
    """A person before the page in one of the engines."""

    def __init__(self, engine: Engine, folder: Path):
        self.engine, self.driver, self.folder = engine, engine.driver, folder

    def opens(self, address: str) -> None:
        self.engine.opens(address)
        self.waits_for(lambda: self.state("data-kezako") == "live")

    def chooses(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.write_bytes(content)
        self.driver.find_element("css selector", FILE).send_keys(str(path))

    def types(self, keys: str) -> None:
        ActionChains(self.driver).send_keys(keys).perform()

    def tabs_to(self, selector: str) -> None:
        for _ in range(20):
            if self.is_at(selector):
                return
            self.types(Keys.TAB)
        raise AssertionError(f"{selector} cannot be reached by the tabulator key")

    def is_at(self, selector: str) -> bool:
        """Whether the element has the focus."""
        return bool(self.asks("return document.activeElement.matches(arguments[0])", selector))

    def presses(self, selector: str) -> None:
        self.driver.find_element("css selector", selector).click()

    def reads(self, sentence: str) -> None:
        """Wait until the answer's place says `sentence`, and the page has come to rest."""
        self.waits_for(lambda: sentence in self.text(SENTENCE))
        self.waits_for(lambda: self.state("data-upload") is None)

    def waits_for(self, fact: Any) -> None:
        until(fact, f"{self.text('body')!r}, errors: {self.engine.complaints()}")

    def looks_for(self, milliseconds: int) -> None:
        """Look at the page for a while, to see whether it changes by itself."""
        wait = "setTimeout(arguments[1], arguments[0])"
        self.driver.execute_async_script(wait, milliseconds)

    def text(self, selector: str) -> str:
        """What is to be read there, without what is hidden."""
        return str(self.asks("return document.querySelector(arguments[0])?.innerText ?? ''",
                             selector)).strip()  # fmt: skip

    def state(self, name: str) -> str | None:
        """An attribute of the page's root."""
        return self.asks("return document.documentElement.getAttribute(arguments[0])", name)

    def sees(self, selector: str) -> dict[str, float] | None:
        """Where an element is, in CSS pixels; None where it is not shown."""
        return self.asks(SEEN, selector)

    def sees_photo(self) -> bool:
        """Whether a photo is shown, and not broken."""
        loaded = "const image = document.querySelector(arguments[0]);"
        loaded += "return Boolean(image?.complete && image.naturalWidth)"
        return bool(self.asks(loaded, PHOTO) and self.sees(PHOTO))

    def asks(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)


class Stalled(Network):
    """A network on which nothing reaches the server unless `flows` is set."""

    def __init__(self, address: str):
        super().__init__(address)
        self.flows = threading.Event()
        self.flows.set()
        self.held = 0  # bytes that the browser has sent while nothing flowed

    def _pass(self, source: socket.socket, target: socket.socket, count: str) -> None:
        if count == "sent":
            source = self._stalling(source)
        super()._pass(source, target, count)

    def _stalling(self, source: socket.socket) -> socket.socket:
        network = self

        class Stalling(socket.socket):
            def recv(self, size: int, flags: int = 0) -> bytes:
                data = super().recv(size, flags)
                if not network.flows.is_set():
                    network.held += len(data)
                    network.flows.wait()
                return data

        return Stalling(fileno=source.dup().detach())


@pytest.fixture(scope="module", params=ENGINES)
def an_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with ENGINES[request.param](tmp_path_factory.mktemp(request.param)) as engine:
        yield engine


@pytest.fixture
def visitor(an_engine: Engine, tmp_path: Path) -> Iterator[Visitor]:
    yield Visitor(an_engine, tmp_path)
    assert an_engine.complaints() == []


def test_the_empty_page_invites(visitor: Visitor, a_kezako_serve: str) -> None:
    visitor.opens(a_kezako_serve + "?model=looking")
    width, height = PHONE
    assert visitor.asks("return [innerWidth, innerHeight]") == [width, height]
    drop, file = visitor.sees(DROP), visitor.sees(FILE)
    assert drop
    assert file
    assert drop["bottom"] <= height
    assert file["height"] >= 0.9 * drop["height"]  # all of it may be pressed
    assert visitor.text("h1") == "Which of looking?"
    assert not visitor.sees(ANOTHER)
    assert visitor.asks(REACHING_OVER) == []


@pytest.mark.parametrize("size", [TALL, WIDE], ids=["tall", "wide"])
def test_photo_and_answer_fit_the_screen(
    size: tuple[int, int], visitor: Visitor, a_kezako_serve: str
) -> None:
    visitor.opens(a_kezako_serve + "?model=looking")
    visitor.chooses("red.jpg", drawn(size=size))
    visitor.reads("This is red.")
    assert visitor.sees_photo()
    assert visitor.asks("return scrollY") == 0
    for selector in (PHOTO, SENTENCE, ".kezako-bars li:last-child", ANOTHER, WHY):
        place = visitor.sees(selector)
        assert place, selector
        assert 0 <= place["top"] < place["bottom"] <= PHONE[1], (selector, place)
    photo, another = visitor.sees(PHOTO), visitor.sees(ANOTHER)
    assert photo
    assert another
    assert photo["height"] <= 0.45 * PHONE[1] + 1
    assert photo["width"] / photo["height"] == pytest.approx(size[0] / size[1], rel=0.02)
    assert min(another["width"], another["height"]) >= TAP
    assert not visitor.sees(DROP)
    assert visitor.asks(REACHING_OVER) == []


def test_why_and_back(visitor: Visitor, a_kezako_serve: str) -> None:
    visitor.opens(a_kezako_serve + "?model=looking")
    visitor.chooses("red.jpg", drawn(size=WIDE))
    visitor.reads("This is red.")
    before = visitor.asks("return document.querySelector(arguments[0]).src", PHOTO)
    visitor.presses(WHY)
    visitor.waits_for(lambda: visitor.text(WHY) == "Hide")
    visitor.waits_for(lambda: "speaks for “red”" in visitor.text(".kezako-legend"))
    visitor.waits_for(visitor.sees_photo)
    heat = "return document.querySelector(arguments[0])"
    assert visitor.asks(f"{heat}.src", PHOTO) != before
    assert visitor.asks(f"{heat}.alt", PHOTO).startswith("Your photo in grey")
    visitor.presses(WHY)
    visitor.waits_for(lambda: visitor.text(WHY) == "Why?")
    visitor.waits_for(lambda: visitor.asks(f"{heat}?.src", PHOTO) == before)
    assert visitor.sees_photo()


def test_another_photo(visitor: Visitor, a_kezako_serve: str) -> None:
    visitor.opens(a_kezako_serve + "?model=looking")
    visitor.chooses("red.jpg", drawn())
    visitor.reads("This is red.")
    before = visitor.engine.choosers()
    visitor.presses(ANOTHER)  # the file input is out of sight now
    visitor.waits_for(lambda: visitor.engine.choosers() == before + 1)
    assert visitor.text(SENTENCE) == "This is red."  # until a file was chosen
    visitor.chooses("green.png", encoded(Image.new("RGB", TALL, GREEN), "PNG"))
    visitor.reads("This is green.")
    assert visitor.sees_photo()


def test_the_keyboard_alone(visitor: Visitor, a_kezako_serve: str) -> None:
    visitor.opens(a_kezako_serve + "?model=looking")
    visitor.tabs_to(FILE)
    visitor.chooses("red.jpg", drawn())
    visitor.reads("This is red.")
    visitor.waits_for(lambda: visitor.is_at(ANOTHER))
    visitor.tabs_to(WHY)
    visitor.types(Keys.SPACE)
    visitor.waits_for(lambda: visitor.text(WHY) == "Hide")
    assert visitor.is_at(WHY)


def test_none_of_these_folds_its_bars(visitor: Visitor, a_kezako_serve: str) -> None:
    visitor.opens(a_kezako_serve + "?model=bears")
    visitor.chooses("red.jpg", drawn())
    visitor.reads("None of these")
    assert not visitor.sees(".kezako-bars li")
    assert not visitor.sees(WHY)
    visitor.presses(".kezako-bars summary")
    visitor.waits_for(lambda: visitor.sees(".kezako-bars li"))
    assert visitor.text(".kezako-bars summary") == "If it had to be one of these"
    assert visitor.asks(REACHING_OVER) == []


def test_a_file_that_is_no_picture(visitor: Visitor, a_kezako_serve: str) -> None:
    visitor.opens(a_kezako_serve + "?model=looking")
    visitor.chooses("text.jpg", b"this is no picture")
    visitor.reads("text.jpg")
    assert "not a picture" in visitor.text(SENTENCE)
    assert not visitor.sees(PHOTO)
    said, drop = visitor.sees(SENTENCE), visitor.sees(DROP)
    assert said
    assert drop
    assert said["bottom"] <= drop["top"]
    visitor.chooses("red.jpg", drawn())
    visitor.reads("This is red.")


def test_a_photo_that_the_browser_cannot_show(visitor: Visitor, a_kezako_serve: str) -> None:
    visitor.opens(a_kezako_serve + "?model=looking")
    visitor.chooses("phone.heic", drawn("HEIF", size=WIDE))
    visitor.reads("This is red.")
    visitor.waits_for(visitor.sees_photo)


def test_a_photo_chosen_while_the_connection_was_cut(visitor: Visitor, a_kezako_serve: str) -> None:
    with Network(a_kezako_serve) as network:
        visitor.opens(network.address + "?model=looking")
        visitor.chooses("red.jpg", drawn())
        visitor.reads("This is red.")
        network.cut()
        visitor.waits_for(lambda: "Connection lost" in visitor.text(NOTICE))
        visitor.chooses("green.png", encoded(Image.new("RGB", TALL, GREEN), "PNG"))
        visitor.waits_for(visitor.sees_photo)  # from the browser's memory: nothing can travel
        visitor.waits_for(lambda: visitor.sees(PROGRESS))
        assert visitor.text(".kezako-cancel") == "Cancel"
        assert not visitor.sees(SENTENCE)  # it was about the photo before
        network.mend()
        visitor.reads("This is green.")
        assert not visitor.sees(NOTICE)
        assert visitor.sees_photo()


def test_a_photo_that_is_long_on_its_way_can_be_cancelled(
    visitor: Visitor, a_kezako_serve: str
) -> None:
    network = Stalled(a_kezako_serve)
    with network:
        visitor.opens(network.address + "?model=looking")
        network.flows.clear()
        visitor.chooses("red.jpg", drawn(size=TALL))
        visitor.waits_for(lambda: network.held > 0)  # for WebKit all of it has been sent now
        visitor.looks_for(3 * LOOK)
        assert visitor.text(".kezako-sending span") == "Sending your photo …"
        visitor.presses(".kezako-cancel")
        visitor.waits_for(lambda: visitor.sees(DROP))
        assert not visitor.sees(PHOTO)
        network.cut()  # what is on its way is lost
        network.flows.set()
        network.mend()
        visitor.chooses("green.png", encoded(Image.new("RGB", TALL, GREEN), "PNG"))
        visitor.reads("This is green.")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_photo_given_by_hand(kind: str, visitor: Visitor, a_kezako_serve: str) -> None:
    visitor.opens(a_kezako_serve + "?model=looking")
    visitor.asks(GIVE, kind, base64.b64encode(drawn()).decode())
    visitor.reads("This is red.")
    assert visitor.sees_photo()
