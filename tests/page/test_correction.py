"""The buttons after an answer: a way back, consent, and what may be chosen."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from ipywidgets import Button, Checkbox
from PIL import Image

from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.model.classifier import Answer
from kezako.model.wording import headline
from kezako.page import Choice, Correction
from kezako.words import words
from kezako.workspace import Workspace

LABELS = ("black", "grizzly", "teddy")
say = words()
SURE = Answer("black", ("black",), {"black": 0.9, "teddy": 0.07, "grizzly": 0.03}, known=True)
UNSURE = Answer("black", ("black",), {"black": 0.5, "teddy": 0.4, "grizzly": 0.1}, known=True)
NONE = Answer(None, (), {"black": 0.9, "teddy": 0.07, "grizzly": 0.03}, known=False)
TWO = Answer("black", ("black", "teddy"), {"black": 0.9, "teddy": 0.8, "grizzly": 0.1}, known=True)


def a_photo() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), (90, 20, 40)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def after(
    an_empty_workspace: Workspace, a_bundle: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Correction]:
    """The widget after an answer."""
    monkeypatch.setenv("KEZAKO_CORRECTIONS", "1")

    def ask(answer: Answer | None, task: str = "single") -> Correction:
        a_bundle(an_empty_workspace.models, "bears", LABELS, task=task)
        choice = Choice(an_empty_workspace.models)
        correction = Correction(choice, an_empty_workspace)
        said = headline(choice.classifier.card, answer) if answer else "This is black."
        correction.offer(choice, a_photo(), said, answer)
        return correction

    return ask


@pytest.fixture
def kept(an_empty_workspace: Workspace) -> Callable[[], list[Row]]:
    def read() -> list[Row]:
        with Manifest(an_empty_workspace.folder("bears"), read_only=True) as manifest:
            return manifest.rows()

    return read


def buttons(correction: Correction) -> list[str]:
    return [each.description for each in correction.children if isinstance(each, Button)]


def press(correction: Correction, words: str) -> None:
    (button,) = [each for each in correction.children if getattr(each, "description", "") == words]
    assert not button.disabled
    button.click()


def boxes(correction: Correction) -> dict[str, Checkbox]:
    """The boxes that are shown, by their words; the last one is consent."""
    found = [each for each in correction.children if isinstance(each, Checkbox)]
    return {box.description if box is not found[-1] else "consent": box for box in found}


def choices(correction: Correction) -> list[str]:
    return [words for words, _ in correction._label.options]


def test_a_right_answer_is_sent_only_with_consent(
    after: Callable[..., Correction], kept: Callable[[], list[Row]]
) -> None:
    correction = after(SURE)
    assert buttons(correction) == [say("correction_right"), say("correction_wrong")]
    press(correction, say("correction_right"))
    assert correction.children[0].value == say("correction_thanks")
    correction._submit.click()  # as a page could, though it is disabled
    assert kept() == []
    boxes(correction)["consent"].value = True
    press(correction, say("correction_send"))
    assert [each.value for each in correction.children] == [say("correction_kept")]
    (row,) = kept()
    assert (row.folder, row.source) == ("black", "confirmation")
    correction._submit.click()
    assert len(kept()) == 1


@pytest.mark.parametrize("first", [say("correction_right"), say("correction_wrong")])
def test_there_is_a_way_back_that_sends_nothing(
    first: str, after: Callable[..., Correction], kept: Callable[[], list[Row]]
) -> None:
    correction = after(SURE)
    press(correction, first)
    boxes(correction)["consent"].value = True
    press(correction, say("correction_back"))
    assert buttons(correction) == [say("correction_right"), say("correction_wrong")]
    correction._submit.click()
    assert kept() == []
    press(correction, say("correction_wrong"))
    assert not boxes(correction)["consent"].value, "consent is given for one form only"
    assert correction._label.value == 0


def test_the_answer_is_not_offered_as_the_right_one(after: Callable[..., Correction]) -> None:
    correction = after(SURE)
    press(correction, say("correction_wrong"))
    assert choices(correction) == [
        say("correction_choose"),
        "grizzly",
        "teddy",
        say("correction_none"),
    ]


def test_after_none_of_these_there_are_only_classes(
    after: Callable[..., Correction], kept: Callable[[], list[Row]]
) -> None:
    correction = after(NONE)
    press(correction, say("correction_wrong"))
    assert choices(correction) == [say("correction_choose"), *LABELS]
    press(correction, say("correction_back"))
    press(correction, say("correction_right"))
    boxes(correction)["consent"].value = True
    press(correction, say("correction_send"))
    (row,) = kept()
    assert (row.folder, row.source) == ("something-else", "confirmation")


def test_an_answer_that_names_several_can_only_be_decided(after: Callable[..., Correction]) -> None:
    correction = after(UNSURE)
    assert buttons(correction) == [say("correction_known")]
    press(correction, say("correction_known"))
    assert choices(correction) == [say("correction_choose"), *LABELS, say("correction_none")]


def test_what_is_chosen_is_what_is_kept(
    after: Callable[..., Correction], kept: Callable[[], list[Row]]
) -> None:
    for chosen, folder in ((3, "teddy"), (4, "something-else")):
        correction = after(SURE)
        press(correction, say("correction_wrong"))
        correction._label.value = chosen
        boxes(correction)["consent"].value = True
        press(correction, say("correction_send"))
        assert [(row.folder, row.source) for row in kept()] == [(folder, "correction")]


def test_of_several_labels_each_can_be_corrected(
    after: Callable[..., Correction], kept: Callable[[], list[Row]]
) -> None:
    correction = after(TWO, task="multi")
    press(correction, say("correction_wrong"))
    shown = boxes(correction)
    ticked = {words: box.value for words, box in shown.items()}
    assert ticked == {"black": True, "grizzly": False, "teddy": True, "consent": False}
    shown["consent"].value = True
    assert correction._submit.disabled, "that is what the page said"
    shown["black"].value, shown["grizzly"].value = False, True
    press(correction, say("correction_send"))
    assert [row.folder for row in kept()] == ["grizzly+teddy"]


def test_of_several_labels_none_may_be_shown(
    after: Callable[..., Correction], kept: Callable[[], list[Row]]
) -> None:
    correction = after(TWO, task="multi")
    press(correction, say("correction_wrong"))
    shown = boxes(correction)
    shown["black"].value = shown["teddy"].value = False
    shown["consent"].value = True
    press(correction, say("correction_send"))
    assert [row.folder for row in kept()] == ["neither"]


def test_while_another_process_writes_the_form_stays_open(
    after: Callable[..., Correction],
    kept: Callable[[], list[Row]],
    an_empty_workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kezako.dataset.corrections.PATIENCE", 0.1)
    correction = after(SURE)
    press(correction, say("correction_right"))
    boxes(correction)["consent"].value = True
    with Manifest(an_empty_workspace.folder("bears")) as manifest, manifest.transaction():
        press(correction, say("correction_send"))
    assert "send it again" in correction.children[-1].value
    press(correction, say("correction_send"))
    assert len(kept()) == 1
