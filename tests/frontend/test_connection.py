"""A lost connection is taken up again; a page whose kernel has ended offers a way on."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.frontend.network import Network
from tests.page.photos import drawn
from tests.page.visitor import Visitor
from tests.servers import DEADLINE

pytestmark = pytest.mark.browser

LIVE = ("data-kezako", "live")


def kernel(page: Page) -> str:
    told = page.locator("#kezako-page").text_content() or ""
    return str(json.loads(told)["kernelId"])


def lives(address: str, kernel_id: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}api/kernels/{kernel_id}", timeout=DEADLINE):
            return True
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return False


def eventually(fact: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not fact():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_lost_connection_is_taken_up_again(a_phone: Page, a_network: Network) -> None:
    visitor = Visitor(a_phone).opens(a_network.address + "?model=colours")
    expect(a_phone.locator("html")).to_have_attribute(*LIVE)
    a_network.cut()
    notice = a_phone.get_by_role("alert")
    expect(notice).to_contain_text("Connection lost, trying again")
    visitor.gives("meanwhile.jpg", drawn())  # kept until there is a connection
    expect(visitor.picture).to_be_visible()
    a_network.mend()
    expect(notice).to_be_hidden()
    expect(visitor.answer).to_have_text("This is red.")
    expect(visitor.bars).to_have_count(3)


@pytest.mark.parametrize("server", ["a_light_voila", "a_kezako_serve"])
def test_a_page_whose_kernel_has_ended_offers_to_start_again(
    server: str, request: pytest.FixtureRequest, a_phone: Page
) -> None:
    address = request.getfixturevalue(server)
    with Network(address) as network:
        Visitor(a_phone).opens(network.address + "?model=colours")
        expect(a_phone.locator("html")).to_have_attribute(*LIVE)
        first = kernel(a_phone)
        network.cut()
        expect(a_phone.get_by_role("alert")).to_contain_text("Connection lost")
        end(address, first)
        network.mend()
        again = a_phone.get_by_role("button", name="Start again")
        expect(again).to_be_visible()
        again.click()
        expect(a_phone.locator("html")).to_have_attribute(*LIVE)
        assert kernel(a_phone) != first


def end(address: str, kernel_id: str) -> None:
    request = urllib.request.Request(
        f"{address}voila/api/shutdown/{kernel_id}", data=b"_xsrf=x", method="POST",
        headers={"Cookie": "_xsrf=x"},
    )  # fmt: skip
    urllib.request.urlopen(request, timeout=DEADLINE).close()
    eventually(lambda: not lives(address, kernel_id))


def test_closing_the_tab_ends_the_kernel(a_phone: Page, a_kezako_serve: str) -> None:
    Visitor(a_phone).opens(a_kezako_serve + "?model=colours")
    expect(a_phone.locator("html")).to_have_attribute(*LIVE)
    mine = kernel(a_phone)
    assert lives(a_kezako_serve, mine)
    a_phone.goto("about:blank")
    eventually(lambda: not lives(a_kezako_serve, mine))
