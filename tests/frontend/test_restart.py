"""A restart of the server: an open page says so and keeps its answer, a waiting one gets in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import a_screen
from tests.frontend.restarting import Restarting
from tests.limits.guest import Guest
from tests.page.photos import drawn

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIVE = ("data-kezako", "live")
PHONE = {"width": 390, "height": 664}


@pytest.fixture(scope="module")
def a_server(
    tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]
) -> Iterator[Restarting]:
    home = tmp_path_factory.mktemp("restarted")
    a_bundle(home / "models", "colours", ("red", "green", "blue"))
    server = Restarting(home, "--visitors", "1")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def a_phone_without_scripts(a_browser: Browser) -> Iterator[Page]:
    yield from a_screen(a_browser, viewport=PHONE, java_script_enabled=False)


def test_an_open_page_says_so_and_keeps_photo_and_answer(
    a_server: Restarting, a_phone: Page
) -> None:
    a_phone.goto(a_server.address)
    expect(a_phone.locator("html")).to_have_attribute(*LIVE)
    a_phone.locator("input[type=file]").first.set_input_files(
        {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": drawn()}
    )
    answer = a_phone.locator(".kezako > .widget-label")
    photo = a_phone.locator(".kezako > .widget-output img")
    expect(answer).to_have_text("This is red.")
    a_server.stop()
    notice = a_phone.get_by_role("alert")
    expect(notice).to_contain_text("Connection lost")
    a_server.start()
    expect(notice).to_contain_text("The server was restarted.")
    expect(answer).to_have_text("This is red.")
    expect(photo).to_be_visible()
    assert photo.evaluate("image => image.naturalWidth") > 0
    # Whatever else is tried, the way on stays in sight.
    a_phone.locator("input[type=file]").first.set_input_files(
        {"name": "other.jpg", "mimeType": "image/jpeg", "buffer": drawn()}
    )
    a_phone.get_by_role("button", name="Start again").click()
    expect(a_phone.locator("html")).to_have_attribute(*LIVE)
    expect(notice).to_be_hidden()
    a_phone.close(run_before_unload=True)


def test_a_page_that_slept_does_not_speak_of_a_restart(a_server: Restarting, a_phone: Page) -> None:
    a_phone.goto(a_server.address)
    expect(a_phone.locator("html")).to_have_attribute(*LIVE)
    kernel = a_phone.evaluate(
        "JSON.parse(document.getElementById('kezako-page').textContent).kernelId"
    )
    Guest(a_server.address, kernel).leaves()
    notice = a_phone.get_by_role("alert")
    expect(notice).to_contain_text("This page has ended.")
    expect(a_phone.get_by_role("button", name="Start again")).to_be_visible()
    a_phone.close(run_before_unload=True)


def test_who_waits_gets_in_after_a_restart(a_server: Restarting, a_phone: Page) -> None:
    blocked: list[str] = []
    a_phone.on("console", lambda said: blocked.append(said.text) if "Policy" in said.text else None)
    inside = Guest(a_server.address).waits()
    a_phone.goto(a_server.address + "?model=colours")
    expect(a_phone).to_have_title("Which of colours?")
    expect(a_phone.get_by_role("heading", name="All places are taken")).to_be_visible()
    assert a_phone.evaluate("document.documentElement.scrollWidth") <= 390
    a_server.stop()
    expect(a_phone.get_by_text("The server does not answer at the moment.")).to_be_visible()
    a_server.start()
    expect(a_phone.locator("html")).to_have_attribute(*LIVE)
    assert inside.is_gone()
    assert a_phone.url == a_server.address + "?model=colours", "a link without the ticket"
    assert blocked == []
    a_phone.close(run_before_unload=True)


def test_without_scripts_the_wait_ends_too(
    a_server: Restarting, a_phone_without_scripts: Page
) -> None:
    inside = Guest(a_server.address).waits()
    a_phone_without_scripts.goto(a_server.address)
    expect(a_phone_without_scripts.get_by_role("heading", level=2)).to_be_visible()
    inside.leaves()
    expect(a_phone_without_scripts.locator(".widget-upload")).to_be_visible()  # the page itself
