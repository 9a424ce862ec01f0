"""`kezako serve --engine`: the page asks an engine, and says so when it is gone."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from kezako.cli import main
from kezako.words import words
from tests.api.client import colour
from tests.page.visitor import Visitor
from tests.servers import serving


def test_no_engine_no_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--engine", "http://127.0.0.1:9", "--no-browser"]) == 2
    assert "kezako scale serve NAME" in capsys.readouterr().err


@pytest.mark.browser
def test_the_page_asks_the_engine(
    tmp_path: Path, an_engine: tuple[str, Path], a_desk: Page
) -> None:
    """From a workspace without any model."""
    engine = serving(
        ["-m", "kezako", "serve", "colours", "--no-browser", "--port", "{port}"],
        an_engine[1], "healthz",
    )  # fmt: skip
    address = next(engine)
    page = serving(
        ["-m", "kezako", "serve", "--engine", address, "--no-browser", "--port", "{port}"],
        tmp_path, "healthz",
    )  # fmt: skip
    here = next(page)
    try:
        visitor = Visitor(a_desk).opens(here)
        expect(a_desk.get_by_role("heading", name="What <b>colour</b>?")).to_be_visible()
        visitor.chooses("red.png", colour(250, 20, 20))
        assert visitor.reads() == "This is red."
        assert a_desk.get_by_role("button", name="Why?").count() == 0
        assert httpx.post(f"{here}api/predict", content=b"x").status_code == 404
        engine.close()
        visitor.chooses("again.png", colour(250, 20, 20))
        expect(visitor.answer).to_have_text(words()("engine_lost"))
        expect(visitor.button).to_be_enabled()  # it may be tried again
    finally:
        page.close()
        engine.close()
