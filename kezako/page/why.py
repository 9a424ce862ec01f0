"""After an answer, show which parts of the photo are the evidence for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import numpy as np
from IPython.display import Image
from ipywidgets import HTML, Button, Output, VBox

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
        picture: Output,  # shows the photo, and its heat map in its place
    ):
        self._say = choice.words
        self._picture = picture
        self._photo: tuple[Any, ...] = ()  # what `picture` showed
        self._draw: Callable[[], Image] | None = None
        self._name = ""  # of the class that was answered
        self._button = Button(description=self._say("why"))  # later "Hide"
        self._is_open = False
        self.legend = HTML().add_class("kezako-legend")  # how to read the heat map
        super().__init__()
        self.add_class("kezako-why")
        self._button.on_click(self._switch)

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
            self.children = [self._button]

    def clear(self) -> None:
        """Remove the button, and show the photo again."""
        self._show(False)
        self.children, self._draw = [], None

    def _switch(self, _: Button) -> None:
        self._show(not self._is_open)

    def _show(self, heat: bool) -> None:
        """Show the heat map in the photo's place, or the photo again."""
        if heat == self._is_open:
            return
        self._is_open = heat
        if heat and self._draw:
            self._photo = self._picture.outputs
            self._picture.outputs = ()
            self._picture.append_display_data(self._draw())
        else:
            self._picture.outputs, self._photo = self._photo, ()
        self._button.description = self._say("hide" if heat else "why")
        self.legend.value = _legend(self._name, self._say) if heat else ""


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
        f"<p>{escape(say('why_how', label=name))}</p><p><span>{escape(say('why_none'))}</span>"
        f' <i style="background: linear-gradient(to right, {colours})"></i> '
        f"<span>{escape(say('why_most'))}</span></p>"
    )
