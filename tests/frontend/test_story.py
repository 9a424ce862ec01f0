"""Open the page on a phone, choose a photo, read the answer: few bytes, and none from elsewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, expect

from tests.frontend.network import Network
from tests.page.photos import drawn
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser

BYTES = 100_000  # of a first visit, over the wire
REQUESTS = 5


def test_a_photo_gets_its_answer(a_phone: Page, a_light_voila: str) -> None:
    visitor = Visitor(a_phone).opens(a_light_voila + "?model=colours")
    assert visitor.chooses("my photo.jpg", drawn()).reads() == "This is red."
    expect(visitor.picture).to_be_visible()
    assert visitor.bars.count() == 3


def test_a_first_visit_is_small(a_desk: Page, a_phone: Page, a_network: Network) -> None:
    Visitor(a_desk).opens(a_network.address)  # the server is warm; the phone knows nothing yet
    a_desk.close()
    before = a_network.received
    asked: list[str] = []
    a_phone.on("request", lambda request: asked.append(request.url))
    sockets: list[str] = []
    a_phone.on("websocket", lambda socket: sockets.append(socket.url))
    a_phone.goto(a_network.address + "?model=colours")
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    assert len(asked) + len(sockets) <= REQUESTS
    received = a_network.received - before
    print(f"{received} bytes, {len(asked)} requests and {len(sockets)} connections")
    assert received <= BYTES
    here = a_network.address.partition("//")[2]
    assert not [url for url in [*asked, *sockets] if here not in url and url[:5] != "data:"]


def test_nothing_is_wrong_in_the_console(a_phone: Page, a_kezako_serve: str) -> None:
    said: list[str] = []
    a_phone.on("console", lambda message: said.append(message.text))
    a_phone.on("pageerror", lambda error: said.append(str(error)))
    failed: list[Request] = []
    a_phone.on("requestfailed", lambda request: failed.append(request))
    visitor = Visitor(a_phone).opens(a_kezako_serve + "?model=hostile")
    visitor.chooses("p.jpg", drawn()).reads()
    assert (said, failed) == ([], [])
