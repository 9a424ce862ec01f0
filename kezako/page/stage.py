"""What the page is doing, what its button means, and a sentence where something fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ipywidgets import Button, Label
from traitlets.log import get_logger

from kezako.model.classifier import TookTooLong
from kezako.model.remote import EngineError
from kezako.page.choice import Choice
from kezako.pictures import NotAPicture

Name = Literal[
    "open",  # no photo yet
    "looking",  # a photo is being opened or classified
    "ready",  # a photo waits for "Classify"
    "again",  # classifying failed, and may be repeated
    "answer",
    "error",  # the file is no picture
]
CHOOSER = "kezako-chooser"  # the light front end opens the file chooser when this button is pressed


class Stage:
    """Keeps the page's style and the button in step with what the page is doing.

    The button means "Another photo" after an answer, else "Classify". `choice` gets the class
    `kezako-is-NAME`, which the style sheet uses for everything that follows it in the page.
    """

    def __init__(self, choice: Choice, button: Button, answer: Label):
        self._choice, self._button, self._answer = choice, button, answer
        self._say = choice.words
        self.name: Name = "open"
        self._enter("open")

    @property
    def asks_for_another(self) -> bool:
        """Whether the button means "Another photo"."""
        return self.name in ("answer", "error")

    def begin(self) -> None:
        """The page without a photo."""
        self._answer.value = ""
        self._enter("open")

    @contextmanager
    def careful(
        self,
        meanwhile: str,  # what the page says inside the block
        then: Name,  # the stage after the block
    ) -> Iterator[None]:
        """Wrap code that may fail: the visitor sees a sentence, never a traceback."""
        self._answer.value = meanwhile
        self._enter("looking")
        try:
            yield
        except NotAPicture as error:
            self._fail(self._say.error(error), "error")
        except TookTooLong:
            self._fail(self._say("too_long"), "again")
        except EngineError as error:
            self._fail(self._say.error(error), "again")
        except Exception:
            # Log to the kernel's own logger: what `logging` prints would be shown on the page.
            get_logger().exception("The page could not answer.")
            self._fail(self._say("sorry"), "again")
        else:
            self._enter(then)

    def _fail(self, sentence: str, then: Name) -> None:
        self._answer.value = sentence
        self._enter(then)

    def _enter(self, name: Name) -> None:
        self.name = name
        kept = (c for c in self._choice._dom_classes if not c.startswith("kezako-is-"))
        self._choice._dom_classes = (*kept, f"kezako-is-{name}")  # one message to the page, not two
        button = self._button
        button.disabled = name in ("open", "looking")
        if name == "looking":
            return  # the words stay until it is known what the button means next
        button.description = self._say("another" if self.asks_for_another else "classify")
        button._dom_classes = (CHOOSER,) if self.asks_for_another else ()
