"""A photo of 12 MB arrives; tornado's own limit of 10 MiB would close the connection."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.page.photos import noise
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("server", ["a_voila", "a_jupyter_server", "a_kezako_serve"])
def test_a_large_photo_arrives(server: str, request: pytest.FixtureRequest, a_desk: Page) -> None:
    address = request.getfixturevalue(server)
    visitor = Visitor(a_desk).opens(address + ("&" if "?" in address else "?") + "model=colours")
    visitor.chooses("large.png", noise(megabytes=12)).reads()
    assert visitor.bars.count() == 3
