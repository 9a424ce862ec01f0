"""After an answer, visitors can say whether it is right, and send the photo to the maker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ipywidgets import Button, Checkbox, Dropdown, Label, VBox
from traitlets.log import get_logger

from kezako.dataset import corrections
from kezako.errors import KezakoError
from kezako.model.bundle import Card
from kezako.model.classifier import Answer
from kezako.model.wording import PROBABLE, consent
from kezako.page.choice import Choice
from kezako.words import Words
from kezako.workspace import Workspace


@dataclass(frozen=True)
class _Photo:
    """What the visitor may send back."""

    name: str  # of the classifier
    content: bytes
    predicted: str  # the page's answer, as a sentence
    card: Card
    answered: tuple[str, ...] | None  # the labels it named; None: unsure, or not known here

    @property
    def multi(self) -> bool:
        return self.card.task == "multi"


class Correction(VBox):
    """After an answer: "That's right" and "That's wrong", to improve the classifier.

    A photo is sent only with the visitor's consent. The widget stays empty unless the maker turned
    corrections on with `KEZAKO_CORRECTIONS=1`.
    """

    def __init__(
        self,
        choice: Choice,
        workspace: Workspace | None = None,  # default: the nearest one
    ):
        self._say = say = choice.words
        self._workspace = workspace or Workspace.find()
        self._photo: _Photo | None = None
        self._asked: Literal["right", "wrong"] | None = None  # the form that is open
        self._kept = 0  # photos kept during this visit
        self._right = Button(description=say("correction_right")).add_class("kezako-right")
        self._wrong = Button(description=say("correction_wrong")).add_class("kezako-wrong")
        self._hint = Label()
        self._label = Dropdown(description=say("correction_label"))
        self._boxes: list[Checkbox] = []  # one per label, for multi-label
        self._consent = Checkbox(description=consent(corrections.LONGEST, say), indent=False)
        self._submit = Button(description=say("correction_send"), disabled=True)
        self._submit.add_class("kezako-send")
        self._cancel = Button(description=say("correction_back")).add_class("kezako-cancel")
        self._status = Label()
        super().__init__()
        self.add_class("kezako-correction")
        self._right.on_click(lambda _: self._confirm())
        self._wrong.on_click(lambda _: self._correct())
        self._cancel.on_click(lambda _: self._close())
        self._submit.on_click(lambda _: self._give())
        for field in (self._label, self._consent):
            field.observe(self._check, "value")

    def offer(
        self,
        choice: Choice,
        photo: bytes,
        predicted: str,  # the page's answer, as a sentence
        answer: Answer | None = None,  # the same; None: any class may be the right one
    ) -> None:
        """Let the visitor confirm or correct the answer for `photo`."""
        self.clear()
        if not corrections.enabled() or not choice.name:
            return
        if self._kept >= corrections.limit_per_visit():
            self._finish(self._say("correction_enough"))
            return
        card = choice.classifier.card
        answered = _answered(card, answer)
        self._photo = _Photo(choice.name, photo, predicted, card, answered)
        unsure = answer and answered is None
        self._wrong.description = self._say("correction_known" if unsure else "correction_wrong")
        self._close()

    def clear(self) -> None:
        self.children: list[Any] = []
        self._photo = self._asked = None

    def _close(self) -> None:
        """Show the buttons that open a form; nothing is sent."""
        if self._photo:
            self._asked = None
            right = [] if self._photo.answered is None else [self._right]
            self.children = [*right, self._wrong]

    def _confirm(self) -> None:
        if self._photo and self._photo.answered is not None:
            self._hint.value = self._say("correction_thanks")
            self._open("right", [self._hint])

    def _correct(self) -> None:
        if self._photo is None:
            return
        if self._photo.multi:
            self._boxes = _boxes(self._photo, self._say, self._check)
            self._hint.value = self._say("correction_several")
            self._open("wrong", [self._hint, *self._boxes])
            return
        self._label.options, self._label.value = _options(self._photo, self._say), 0
        self._open("wrong", [self._label])

    def _open(self, form: Literal["right", "wrong"], fields: list[Any]) -> None:
        self._asked, self._consent.value = form, False
        self._check()
        self.children = [*fields, self._consent, self._submit, self._cancel]

    def _check(self, _: Any = None) -> None:
        self._submit.disabled = self._chosen() is None or not self._consent.value

    def _chosen(self) -> tuple[str, ...] | None:
        """The labels that the visitor gives the photo; None: not chosen yet, or as answered."""
        photo = self._photo
        if photo is None or self._asked is None:
            return None
        if self._asked == "right":
            return photo.answered
        if photo.multi:
            ticked = [box.value for box in self._boxes]
            chosen = tuple(one for one, on in zip(photo.card.labels, ticked, strict=True) if on)
        elif not self._label.value:
            return None
        else:
            chosen = photo.card.labels[self._label.value - 1 : self._label.value]  # () is none
        return None if photo.answered is not None and set(chosen) == set(photo.answered) else chosen

    def _give(self) -> None:
        # Checked here again, because a press can come without the button being shown.
        photo, labels = self._photo, self._chosen()
        if photo is None or labels is None or not self._consent.value:
            return
        try:
            corrections.offer(
                self._workspace, photo.name, photo.content, labels, photo.predicted,
                photo.card.task, confirmed=self._asked == "right",
            )  # fmt: skip
        except corrections.Busy as error:
            self._status.value = self._say.error(error)
            self.children = [*(c for c in self.children if c is not self._status), self._status]
        except corrections.Full as error:
            self._finish(self._say.error(error))
        except KezakoError as error:  # for the log, not for the visitor
            get_logger().warning("A correction could not be kept: %s", error)
            self._finish(self._say("correction_lost"))
        except Exception:
            get_logger().exception("A correction could not be kept.")
            self._finish(self._say("correction_lost"))
        else:
            self._kept += 1
            self._finish(self._say("correction_kept"))

    def _finish(self, status: str) -> None:
        """Close the form and show only `status`."""
        self.clear()
        self._status.value = status
        self.children = [self._status]


def _answered(card: Card, answer: Answer | None) -> tuple[str, ...] | None:
    """The labels that the answer names; None if it names several that it may be."""
    if answer is None:
        return None
    if not answer.known:
        return ()
    if card.task == "multi":
        return answer.labels
    unsure = max(answer.probabilities.values(), default=0.0) < PROBABLE
    return None if unsure else answer.labels


def _options(photo: _Photo, say: Words) -> list[tuple[str, int]]:
    """What a single-label photo may show instead of the answer, with the number of each label."""
    labels, answered = photo.card.labels, photo.answered
    classes = [
        (photo.card.name_of(one, say.code), n)
        for n, one in enumerate(labels, 1)
        if one not in (answered or ())
    ]
    none = [] if answered == () else [(say("correction_none"), len(labels) + 1)]
    return [(say("correction_choose"), 0), *classes, *none]


def _boxes(photo: _Photo, say: Words, check: Any) -> list[Checkbox]:
    """A box for each label of a multi-label classifier, ticked as answered."""
    answered = photo.answered or ()
    boxes = [
        Checkbox(one in answered, description=photo.card.name_of(one, say.code), indent=False)
        for one in photo.card.labels
    ]
    for box in boxes:
        box.observe(check, "value")
    return boxes
