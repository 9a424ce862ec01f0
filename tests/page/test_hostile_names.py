"""Names from strangers are shown as text."""

from __future__ import annotations

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.page.conftest import HOSTILE
from tests.page.photos import drawn
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser


def test_names_are_shown_as_text(a_voila: str, a_desk: Page) -> None:
    alerts: list[str] = []

    def closes(dialog: Dialog) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    a_desk.on("dialog", closes)
    visitor = Visitor(a_desk).opens(a_voila + "?model=hostile")
    expect(a_desk.locator("h1")).to_have_text("<b>bold</b>")
    visitor.chooses("$y$<img src=x onerror=alert(2)>.jpg", drawn())
    assert visitor.reads() == f"This is {HOSTILE[0]}."
    assert set(visitor.bars.locator("span").all_inner_texts()) == set(HOSTILE)
    visitor.chooses("$y$<img src=x onerror=alert(2)>.jpg", b"no picture")
    expect(visitor.answer).to_contain_text("$y$<img src=x onerror=alert(2)>.jpg: ")
    assert a_desk.title() == "Kezako"
    assert alerts == []
