"""The widgets speak the visitor's language, and hand the front end its part of the words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from ipywidgets import Button, FileUpload, Label, Output, Widget

from kezako import page
from kezako.page import Choice, Preview, Stage
from kezako.words import IN_BROWSER, languages, words
from voila_snapshot import prerender

Write = Callable[..., Path]


class Found(HTMLParser):
    """The attributes of all elements, by name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, _: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found |= dict(attributes)


@pytest.fixture
def choice_in(
    tmp_path: Path, a_bundle: Write, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Choice]:
    monkeypatch.delenv("KEZAKO_MODEL", raising=False)
    a_bundle(tmp_path, "colours", ("red", "green", "blue"), prompt="Choose.", title="What is it?")

    def choice(header: str) -> Choice:
        monkeypatch.setenv("HTTP_ACCEPT_LANGUAGE", header)
        return Choice(tmp_path, query="")

    return choice


@pytest.mark.parametrize("code", [code for code in languages() if code != "en"])
def test_the_front_end_gets_its_words(code: str, choice_in: Callable[[str], Choice]) -> None:
    choice = choice_in(f"{code}-XX,en;q=0.1")
    assert choice.words.code == code
    found = Found(choice.children[0].value).found
    assert found["data-kezako-language"] == code
    given = json.loads(found["data-kezako-words"] or "")
    assert given == {key: words(code)(key) for key in IN_BROWSER}
    drawn = prerender.resources(Widget.get_manager_state(widgets=choice.children)["state"])
    assert (drawn["kezako_language"], drawn["kezako_words"]) == (code, given)


def test_an_english_page_carries_none(choice_in: Callable[[str], Choice]) -> None:
    choice = choice_in("sv,en-GB;q=0.5")
    assert not any("data-kezako-words" in str(child.get_state()) for child in choice.children)
    drawn = prerender.resources(Widget.get_manager_state(widgets=choice.children)["state"])
    assert (drawn["kezako_language"], drawn["kezako_words"]) == ("", {})


def test_what_is_said_before_and_after_a_bad_file(choice_in: Callable[[str], Choice]) -> None:
    choice, upload, answer, button = choice_in("de"), FileUpload(), Label(), Button()
    assert "Erkennt red, green und blue." in choice.children[1].value
    assert choice.promise.value == "<p>Das Foto wird ausgewertet und danach vergessen.</p>"
    assert "oder hierher ziehen" in page.hint(choice.words).value
    stage = Stage(choice, button, answer)
    assert button.description == "Erkennen"
    preview = Preview(upload, Output(), choice.words)
    upload.value = [{"name": "{reason}.jpg", "type": "", "size": 4, "content": b"text",
                     "last_modified": datetime.now(UTC)}]  # fmt: skip
    with stage.careful(choice.words("opening"), then="ready"):
        assert answer.value == "Foto wird geöffnet …"
        preview.show()
    assert answer.value.startswith("{reason}.jpg: Diese Datei ist kein Bild. Bitte")
    assert button.description == "Anderes Foto"


def test_pages_of_one_process_share_an_opened_classifier(
    choice_in: Callable[[str], Choice], tmp_path: Path, a_bundle: Write
) -> None:
    german, polish = choice_in("de").classifier, choice_in("pl").classifier
    assert german is polish, "its memory is there once, whatever the language"
    a_bundle(tmp_path, "colours", ("red", "green", "blue"), title="And this?")
    assert choice_in("de").classifier.card.title == "And this?", "a new one is opened"
