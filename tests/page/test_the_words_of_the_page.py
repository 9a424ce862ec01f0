"""Bars, choice and carefulness, without a browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ipywidgets import Button, FileUpload, Label, Output
from PIL import Image

from kezako import page
from kezako.model.bundle import MODEL
from kezako.model.classifier import Answer
from kezako.page import Choice
from kezako.pictures import NotAPicture
from kezako.words import words
from tests.page.photos import drawn, encoded

Write = Callable[..., Path]
LABELS = ("red", "green", "blue")


@pytest.fixture(autouse=True)
def no_preference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEZAKO_MODEL", raising=False)
    monkeypatch.delenv("QUERY_STRING", raising=False)


def said(choice: Choice) -> str:
    return "".join(str(child.value) for child in choice.children[1:] if hasattr(child, "value"))


def test_without_a_classifier_the_page_says_how_to_train_one(tmp_path: Path) -> None:
    choice = Choice(tmp_path / "models")
    assert choice.classifier is None
    assert "kezako train NAME" in said(choice)


def test_a_damaged_bundle_gives_way_to_the_next(tmp_path: Path, a_bundle: Write) -> None:
    (a_bundle(tmp_path, "broken", LABELS) / MODEL).write_bytes(b"cut short")
    a_bundle(tmp_path, "whole", LABELS)
    choice = Choice(tmp_path)
    assert choice.classifier.card.name == "whole"
    broken = Choice(tmp_path, query="model=broken")
    assert broken.classifier.card.name == "whole"
    assert "&#x27;broken&#x27; cannot be opened" in said(broken)


def test_a_damaged_choice_keeps_the_one_in_use(tmp_path: Path, a_bundle: Write) -> None:
    (a_bundle(tmp_path, "broken", LABELS) / MODEL).write_bytes(b"cut short")
    a_bundle(tmp_path, "whole", LABELS)
    choice = Choice(tmp_path, query="model=whole")
    menu = choice.children[2]
    menu.value = "broken"
    assert (choice.classifier.card.name, menu.value) == ("whole", "whole")
    assert "cannot be opened" in said(choice)


def test_only_a_damaged_bundle_is_said(tmp_path: Path, a_bundle: Write) -> None:
    (a_bundle(tmp_path, "broken", LABELS) / MODEL).write_bytes(b"cut short")
    choice = Choice(tmp_path)
    assert choice.classifier is None
    assert "cannot be opened" in said(choice)


def test_the_environment_names_the_default(
    tmp_path: Path, a_bundle: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        a_bundle(tmp_path, name, LABELS)
    monkeypatch.setenv("KEZAKO_MODEL", "b")
    assert Choice(tmp_path).classifier.card.name == "b"
    assert Choice(tmp_path, query="model=c").classifier.card.name == "c"
    assert Choice(tmp_path, query="model=../a").classifier.card.name == "b"


def bars(answer: Answer, tmp_path: Path, a_bundle: Write) -> str:
    a_bundle(tmp_path, "any", tuple(answer.probabilities))
    shown = page.Bars(Choice(tmp_path))
    shown.show(answer)
    return str(shown.value)


def test_names_in_bars_are_escaped(tmp_path: Path, a_bundle: Write) -> None:
    html = bars(Answer("<b>", ("<b>",), {"<b>": 0.75, "&": 0.25}, True), tmp_path, a_bundle)
    assert "<span>&lt;b&gt;</span> <b>75 %</b>" in html
    assert "<span>&amp;</span>" in html


@pytest.mark.parametrize(("classes", "folded"), [(3, 0), (4, 0), (5, 2), (50, 47)])
def test_many_bars_fold(classes: int, folded: int, tmp_path: Path, a_bundle: Write) -> None:
    answer = Answer("0", ("0",), {str(n): 1 / classes for n in range(classes)}, True)
    html = bars(answer, tmp_path, a_bundle)
    assert html.count("<li") == classes
    assert (f"<summary>{folded} more</summary>" in html) == bool(folded)
    assert html.partition("<details>")[2].count("<li") == folded


def test_none_of_these_shows_no_bar_at_once(tmp_path: Path, a_bundle: Write) -> None:
    """A bar of 96 % beside "None of these" would contradict it."""
    html = bars(Answer(None, (), {"a": 0.96, "b": 0.04}, False), tmp_path, a_bundle)
    before, _, folded = html.partition("<details>")
    assert "It does not look like a or b." in before
    assert "<li" not in before
    assert "<summary>If it had to be one of these</summary>" in folded
    assert folded.count("<li") == 2


@pytest.mark.parametrize("classes", [2, 6, 8, 9, 300])
def test_an_empty_page_says_what_it_knows(classes: int, tmp_path: Path, a_bundle: Write) -> None:
    names = tuple(f"<{n}>" for n in range(classes))
    a_bundle(tmp_path, "any", names, title="What?")
    heading = said(Choice(tmp_path))
    assert all(f"&lt;{n}&gt;" in heading for n in range(classes))
    assert ("<details" in heading) == (classes > 8)


def test_what_the_prompt_names_is_not_said_twice(tmp_path: Path, a_bundle: Write) -> None:
    a_bundle(tmp_path, "any", ("cat", "dog"), title="Cat or dog?")
    assert "It knows" not in said(Choice(tmp_path))


def a_stage(tmp_path: Path) -> tuple[page.Stage, Button, Label]:
    button, label = Button(), Label()
    return page.Stage(Choice(tmp_path), button, label), button, label


def an_upload(name: str, content: bytes) -> FileUpload:
    upload = FileUpload()
    upload.value = [{"name": name, "type": "", "size": len(content), "content": content,
                     "last_modified": datetime.now(UTC)}]  # fmt: skip
    return upload


def test_a_picture_is_shown_small_and_as_jpeg() -> None:
    upload, output = an_upload("p.png", drawn("PNG", "RGBA", size=(3000, 2000))), Output()
    preview = page.Preview(upload, output, words())
    assert preview.show() == "p.png"
    data = output.outputs[0]["data"]["image/jpeg"]
    assert max(Image.open(io.BytesIO(base64.b64decode(data))).size) == 960
    upload.value = [{**upload.value[0], "name": "t.jpg", "content": memoryview(b"text")}]
    with pytest.raises(NotAPicture, match=r"^t\.jpg: This file is not a picture"):
        preview.show()
    assert output.outputs == ()


def test_what_the_browser_shows_is_not_sent_back() -> None:
    upload, output = an_upload("p.png", drawn()), Output()
    preview = page.Preview(upload, output, words())
    output._handle_custom_msg({"event": "preview", "shown": True}, [])
    assert preview.show() == "p.png"
    assert output.outputs == ()
    assert preview.show() == "p.png"  # that was said of one photo
    assert len(output.outputs) == 1
    odd: Any
    for odd in ({"event": "preview", "shown": "yes"}, {"event": "other"}, [], "preview", None):
        output._handle_custom_msg(odd, [])
        preview.show()
        assert len(output.outputs) == 1, odd


@pytest.mark.parametrize(
    ("then", "words_of_button", "disabled"),
    [("ready", "Classify", False), ("answer", "Another photo", False)],
)
def test_the_button_always_means_something(
    then: Any, words_of_button: str, disabled: bool, tmp_path: Path
) -> None:
    stage, button, label = a_stage(tmp_path)
    with stage.careful("Looking …", then=then):
        assert (button.disabled, label.value) == (True, "Looking …")
    assert (button.description, button.disabled) == (words_of_button, disabled)
    assert ("kezako-chooser" in button._dom_classes) == stage.asks_for_another


def test_no_picture_asks_for_another(tmp_path: Path) -> None:
    stage, _, label = a_stage(tmp_path)
    with stage.careful("Looking …", then="answer"):
        raise NotAPicture("picture_empty")
    assert (stage.name, label.value) == ("error", words()("picture_empty"))
    assert stage.asks_for_another


def test_a_fault_of_ours_is_a_sentence_a_line_in_the_log_and_another_try(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    stage, button, label = a_stage(tmp_path)
    with stage.careful("Looking …", then="answer"):
        raise ZeroDivisionError
    assert (button.description, button.disabled) == ("Classify", False)
    assert label.value == words()("sorry")
    assert "ZeroDivisionError" in caplog.text


def test_a_long_photo_that_is_none_of_these_can_be_tried_in_parts(tmp_path: Path) -> None:
    upload = FileUpload()
    parts = page.Parts(Choice(tmp_path), upload)
    none = Answer(None, (), {"a": 1.0}, False)
    image = Image.new("RGB", (1200, 400))
    for third, colour in enumerate(("red", "green", "blue")):
        image.paste(colour, (400 * third, 0, 400 * third + 400, 400))
    long = encoded(image, "PNG")
    parts.offer(replace(none, known=True), long)
    assert not parts.children
    parts.offer(none, encoded(image.resize((700, 400)), "PNG"))
    assert not parts.children
    parts.offer(none, long)
    said, row = parts.children
    assert "very long" in said.value
    seen = []
    for button in row.children:
        assert button.tooltip
        button.click()
        part = Image.open(io.BytesIO(bytes(upload.value[0]["content"])))
        assert part.size == (400, 400)
        seen.append(int(np.asarray(part)[200, 200].argmax()))
    assert seen == [0, 1, 2]
