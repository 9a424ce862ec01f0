"""After an answer, show which parts of the photo are the evidence for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import numpy as np
from IPython.display import Image
from ipywidgets import HTML, Output, ToggleButton, VBox

from kezako.model.bundle import Preprocessing
from kezako.model.classifier import Answer, Classifier, Floats, Scores
from kezako.model.explanation import SCALE, laid_over, over
from kezako.model.wording import alternative
from kezako.page.choice import Choice
from kezako.page.photo import preview, shown
from kezako.words import Words

HOT = 0.9  # share of the highest heat; pixels above it give the position for the alternative text


class Why(VBox):
    """After an answer: "Why?", which shows where in the photo the evidence for it is.

    It stays empty if the classifier's bundle has no head, and for "none of these".
    """

    def __init__(
        self,
        choice: Choice,
        picture: Output,  # shows the photo, and its heat map while the toggle is pressed
    ):
        self._say = choice.words
        self._picture = picture
        self._photo: tuple[Any, ...] = ()  # what `picture` showed
        self._draw: Callable[[], Image] | None = None
        self._name = ""  # of the class that was answered
        self._toggle = ToggleButton(description=self._say("why"))
        self.legend = HTML().add_class("kezako-legend")  # how to read the heat map
        super().__init__()
        self.add_class("kezako-why")
        self._toggle.observe(self._switch, "value")

    def offer(self, classifier: Classifier, scores: Scores, answer: Answer, photo: bytes) -> None:
        """Let the visitor ask why `photo` got `answer`."""
        label = answer.label
        heat = classifier.why(scores, label) if label else None
        if label and heat is not None:
            name = classifier.card.name_of(label, self._say.code)
            self._name = name
            self._draw = partial(
                _drawn, photo, heat, classifier.card.preprocessing, name, self._say
            )
            self.children = [self._toggle]

    def clear(self) -> None:
        """Remove the toggle, and show the photo again."""
        self._toggle.value = False
        self.children, self._draw = [], None

    def _switch(self, _: Any) -> None:
        pressed = bool(self._toggle.value and self._draw)
        if pressed:
            self._photo = self._picture.outputs
            self._picture.outputs = ()
            self._picture.append_display_data(self._draw())  # type: ignore[misc]
        else:
            self._picture.outputs, self._photo = self._photo, ()
        self._toggle.description = self._say("hide" if pressed else "why")
        self.legend.value = _legend(self._name, self._say) if pressed else ""


def _drawn(
    photo: bytes, heat: Floats, preprocessing: Preprocessing, name: str, say: Words
) -> Image:
    picture = preview(photo)
    pixels = over(heat, preprocessing, picture.size)  # (height, width)
    rows, columns = np.nonzero(pixels >= HOT * pixels.max())
    x, y = columns.mean() / picture.width, rows.mean() / picture.height
    return shown(laid_over(picture, pixels), alternative(name, x, y, say))


def _legend(name: str, say: Words) -> str:
    colours = ", ".join(f"rgb{colour}" for colour in SCALE)
    return (
        f"<p>{escape(say('why_how', label=name))}</p>"
        f'<i style="background: linear-gradient(to right, {colours})"></i>'
        f"<p><span>{escape(say('why_none'))}</span> <span>{escape(say('why_most'))}</span></p>"
    )
