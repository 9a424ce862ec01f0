"""Bars, choice and carefulness, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ipywidgets import Button, FileUpload, Label, Output

from kezako import page
from kezako.model.bundle import MODEL
from kezako.model.classifier import Answer
from kezako.model.wording import SORRY
from kezako.page import Choice, careful, show
from kezako.page.bars import bars
from kezako.pictures import NotAPicture
from tests.page.photos import drawn

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


def test_names_in_bars_are_escaped() -> None:
    html = bars(Answer("<b>", ("<b>",), {"<b>": 0.75, "&": 0.25}, True))
    assert "<span>&lt;b&gt;</span> <b>75 %</b>" in html
    assert "<span>&amp;</span>" in html


def test_many_bars_fold() -> None:
    html = bars(Answer("0", ("0",), {str(n): 0.02 for n in range(50)}, True))
    assert html.count("<li") == 50
    assert "<summary>44 more</summary>" in html


def test_a_picture_is_shown_small_and_as_jpeg() -> None:
    upload, output = FileUpload(), Output()
    photo = drawn("PNG", "RGBA", size=(3000, 2000))
    upload.value = [{"name": "p.png", "type": "", "size": len(photo), "content": photo,
                     "last_modified": datetime.now(UTC)}]  # fmt: skip
    assert show(upload, output) == "p.png is ready: press Classify."
    assert "image/jpeg" in output.outputs[0]["data"]
    upload.value = [{**upload.value[0], "name": "t.jpg", "content": memoryview(b"text")}]
    with pytest.raises(NotAPicture, match=r"^t\.jpg: This file is not a picture"):
        show(upload, output)
    assert output.outputs == ()


def test_nothing_chosen_is_a_sentence() -> None:
    with pytest.raises(NotAPicture, match="Choose a photo first"):
        page.content(FileUpload())


def test_the_button_rests_while_the_page_works() -> None:
    button, label = Button(), Label()
    with careful(button, label, "Looking …"):
        assert (button.disabled, label.value) == (True, "Looking …")
    assert not button.disabled


def test_no_picture_leaves_the_button_at_rest() -> None:
    button, label = Button(), Label()
    with careful(button, label, "Looking …"):
        raise NotAPicture("A sentence.")
    assert (button.disabled, label.value) == (True, "A sentence.")


def test_a_fault_of_ours_is_a_sentence_and_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    button, label = Button(), Label()
    with careful(button, label, "Looking …"):
        raise ZeroDivisionError
    assert (button.disabled, label.value) == (False, SORRY)
    assert "ZeroDivisionError" in caplog.text
