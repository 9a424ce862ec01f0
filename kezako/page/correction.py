"""After an answer, visitors can say what it should have been."""

from __future__ import annotations

from typing import Any

from ipywidgets import Button, Checkbox, Dropdown, Label, VBox
from traitlets.log import get_logger

from kezako.dataset import corrections
from kezako.errors import KezakoError
from kezako.model.wording import consent
from kezako.page.choice import Choice
from kezako.workspace import Workspace

ENOUGH = "Thank you for your help: this is as much as one visit may send back."


class Correction(VBox):
    """After an answer: "That's wrong", for visitors who want to improve the classifier.

    It stays empty unless the maker turned corrections on with `KEZAKO_CORRECTIONS=1`.
    """

    def __init__(self, workspace: Workspace | None = None):  # default: the nearest one
        self._workspace = workspace or Workspace.find()
        self._about: tuple[str, bytes, str] | None = None  # classifier, photo, the page's answer
        self._kept = 0  # corrections kept during this visit
        self._labels: tuple[str, ...] = ()
        self._wrong = Button(description="That’s wrong").add_class("kezako-wrong")
        self._label = Dropdown(description="It is")
        self._consent = Checkbox(description=consent(corrections.LONGEST), indent=False)
        self._back = Button(description="Send it back", disabled=True)
        self._said = Label()
        super().__init__()
        self.add_class("kezako-correction")
        self._wrong.on_click(self._ask)
        self._back.on_click(self._give)
        for field in (self._label, self._consent):
            field.observe(self._check, "value")

    def offer(self, choice: Choice, photo: bytes, said: str) -> None:
        """Let the visitor correct `said`, the answer for `photo`."""
        if not corrections.are_taken() or not choice.name:
            return
        if self._kept >= corrections.a_visit():
            self._said.value = ENOUGH
            self.children = [self._said]
            return
        self._about, self._labels = (choice.name, photo, said), choice.classifier.card.labels
        self.children = [self._wrong]

    def clear(self) -> None:
        self.children, self._about = [], None

    def _ask(self, _: Button) -> None:
        choices = [("Choose …", 0), *((label, n) for n, label in enumerate(self._labels, 1))]
        self._label.options = [*choices, ("none of these", len(choices))]
        self._label.value, self._consent.value = 0, False
        self.children = [self._label, self._consent, self._back, self._said]

    def _check(self, _: Any) -> None:
        self._back.disabled = not (self._label.value and self._consent.value)

    def _give(self, _: Button) -> None:
        if self._about is None:
            return
        label = (*self._labels, None)[self._label.value - 1]
        name, photo, said = self._about
        try:
            corrections.offer(self._workspace, name, photo, label, said)
            self._kept += 1
            self._said.value = "Thank you: your photo and your answer were kept."
        except corrections.Full as error:
            self._said.value = str(error)
        except KezakoError as error:  # for the log, not for the visitor
            get_logger().warning("A correction could not be kept: %s", error)
            self._said.value = "Thank you, but it could not be kept here."
        except Exception:
            get_logger().exception("A correction could not be kept.")
            self._said.value = "Thank you, but it could not be kept here."
        self.children, self._about = [self._said], None
