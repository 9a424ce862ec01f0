"""Odd and broken files through a browser's file chooser, which shrinks what it can decode."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from kezako.words import words
from tests.api.odd_pictures import odd_pictures
from tests.page.photos import drawn
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser

SORRY = words()("sorry")
ABOUT = 30  # files, of every sort: the corpus is ordered by sort


def test_an_odd_file_gets_a_label_or_a_sentence(one_desk: Page, a_kezako_serve: str) -> None:
    said: list[str] = []
    one_desk.on("pageerror", lambda error: said.append(str(error)))
    visitor = Visitor(one_desk).opens(a_kezako_serve + "?model=colours")
    odds = list(odd_pictures())
    for number, odd in enumerate(odds[:: len(odds) // ABOUT]):
        visitor.chooses(f"{number:03}-{odd.name}", odd.data)
        if visitor.another.is_hidden():
            # A browser may decode what the page could not, but never the other way round.
            assert not odd.answered, f"{odd.name}: {visitor.sentence}"
            assert visitor.sentence.endswith("."), odd.name
        assert SORRY not in visitor.sentence, odd.name
        assert "Traceback" not in one_desk.content()
    visitor.chooses("whole.jpg", drawn())
    assert visitor.reads() == "This is red."
    assert said == []
