"""Address and title follow the classifier that the visitor chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.frontend.conftest import ROOT, light_voila
from tests.servers import serving

pytestmark = pytest.mark.browser

LIVE = ("data-kezako", "live")
HOSTILE = "\"'><script>document.body.remove()</script>"


@pytest.fixture(scope="module")
def a_home(tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]) -> Path:
    home = tmp_path_factory.mktemp("several")
    a_bundle(home / "models", "colours", ("red", "green", "blue"))
    a_bundle(home / "models", "tints & shades", ("red", "green"), title=HOSTILE)
    return home


@pytest.fixture(scope="module")
def a_served_page(a_home: Path) -> Iterator[str]:
    yield from serving(["-m", "kezako", "serve", "--no-browser", "--port", "{port}"], a_home)


@pytest.fixture(scope="module")
def a_plain_page(a_home: Path) -> Iterator[str]:
    yield from light_voila(ROOT / "notebooks" / "app.ipynb", a_home)


@pytest.mark.parametrize("server", ["a_served_page", "a_plain_page"])
def test_they_follow_the_menu(server: str, request: pytest.FixtureRequest, a_phone: Page) -> None:
    address = request.getfixturevalue(server)
    a_phone.goto(address + "?from=a+friend")
    expect(a_phone.locator("html")).to_have_attribute(*LIVE)
    expect(a_phone).to_have_title("Which of colours?")
    assert a_phone.url == address + "?from=a+friend", "nothing was chosen yet"
    before = a_phone.evaluate("history.length")
    a_phone.locator(".kezako-choice select").select_option("tints & shades")
    expect(a_phone).to_have_title(HOSTILE)
    expect(a_phone).to_have_url(address + "?from=a+friend&model=tints+%26+shades")
    assert a_phone.evaluate("history.length") == before
    a_phone.reload()
    expect(a_phone.locator("html")).to_have_attribute(*LIVE)
    expect(a_phone.locator("h1")).to_have_text(HOSTILE)
    a_phone.locator(".kezako-choice select").select_option("colours")
    expect(a_phone).to_have_url(address + "?from=a+friend&model=colours")
    expect(a_phone).to_have_title("Which of colours?")
    a_phone.close(run_before_unload=True)
