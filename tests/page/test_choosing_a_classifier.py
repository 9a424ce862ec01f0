"""Several classifiers: the address or the menu picks one."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.page.photos import drawn
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser


def test_the_menu_changes_the_classifier(a_voila: str, a_desk: Page) -> None:
    visitor = Visitor(a_desk).opens(a_voila + "?model=colours").chooses("red.jpg", drawn())
    assert visitor.reads() == "This is red."
    a_desk.get_by_role("combobox").select_option("tints")
    expect(a_desk.locator("h1")).to_have_text("Which of tints?")
    # The photo stands, and is classified again: a multi-label answer may name several.
    expect(visitor.picture).to_be_visible()
    expect(visitor.another).to_be_enabled()
    assert visitor.reads() == "This is red."


def test_starter_weights_are_no_classifier(a_voila: str, a_desk: Page) -> None:
    Visitor(a_desk).opens(a_voila + "?model=tints")
    offered = a_desk.get_by_role("combobox").locator("option").all_inner_texts()
    assert {"colours", "tints"} <= set(offered)
    assert "starter" not in offered


def test_an_unknown_name_in_the_address_gets_a_sentence(a_voila: str, a_desk: Page) -> None:
    Visitor(a_desk).opens(a_voila + "?model=%3Cb%3Enone%3C/b%3E")
    notice = a_desk.locator(".kezako-notice")
    expect(notice).to_contain_text("There is no classifier '<b>none</b>' here")


def test_a_damaged_classifier_gets_a_sentence_without_paths(a_voila: str, a_desk: Page) -> None:
    visitor = Visitor(a_desk).opens(a_voila + "?model=worn")
    notice = a_desk.locator(".kezako-notice")
    expect(notice).to_contain_text("The classifier 'worn' cannot be opened")
    assert "model.onnx" not in a_desk.content()
    a_desk.get_by_role("combobox").select_option("tints")
    expect(notice).to_have_count(0)
    assert visitor.chooses("red.jpg", drawn()).reads() == "This is red."
