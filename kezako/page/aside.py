"""What the page offers beside its answer: why, a correction, and whose pictures it learnt from."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from IPython.display import Image
from ipywidgets import HTML, Button, Checkbox, Dropdown, Label, Output, ToggleButton, VBox
from PIL import Image as PILImage
from traitlets.log import get_logger

from kezako.dataset import corrections
from kezako.errors import KezakoError
from kezako.model.bundle import Preprocessing
from kezako.model.classifier import Answer, Classifier, Floats, Scores
from kezako.model.explanation import SCALE, laid_over, over
from kezako.model.wording import alternative, consent, legend
from kezako.pictures import open_picture, shrink
from kezako.workspace import Workspace

if TYPE_CHECKING:
    from kezako.page import Choice

PREVIEW = 960  # pixels of the longest side: sharp at the page's width on a phone's dense screen
ENOUGH = "Thank you for your help: this is as much as one visit may send back."
HOT = 0.9  # share of the greatest heat from which a pixel counts as where it lies


class Why(VBox):
    """After an answer: "Why?", which lays over the photo what spoke for that answer.

    It stays empty where the classifier's bundle cannot tell, and for none of these.
    """

    def __init__(
        self,
        picture: Output,  # shows the photo, and its heat map while the toggle is pressed
    ):
        self._picture = picture
        self._photo: tuple[Any, ...] = ()  # what `picture` showed
        self._draw: Callable[[], Image] | None = None
        self._toggle = ToggleButton(description="Why?")
        self._legend = HTML()
        super().__init__()
        self.add_class("kezako-why")
        self._toggle.observe(self._switch, "value")

    def offer(self, classifier: Classifier, scores: Scores, answer: Answer, photo: bytes) -> None:
        """Let the visitor ask why `photo` got `answer`."""
        label = answer.label
        heat = classifier.why(scores, label) if label else None
        if label and heat is not None:
            self._draw = partial(_drawn, photo, heat, classifier.card.preprocessing, label)
            self._legend.value = _legend(label)
            self.children = [self._toggle]

    def clear(self) -> None:
        """Take the toggle away, and show the photo as it was."""
        self._toggle.value = False
        self.children, self._draw = [], None

    def _switch(self, _: Any) -> None:
        if self._toggle.value and self._draw:
            self._photo = self._picture.outputs
            self._picture.outputs = ()
            self._picture.append_display_data(self._draw())
            self.children = [self._toggle, self._legend]
        elif self._photo:
            self._picture.outputs, self._photo = self._photo, ()
            self.children = [self._toggle]


def shown(
    image: PILImage.Image,
    alt: str,  # the picture in words
) -> Image:
    """A picture for an `Output`, as JPEG: what every browser shows, HEIC and CMYK too."""
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=85)
    return Image(jpeg.getvalue(), format="jpeg", alt=alt)


def preview(photo: bytes) -> PILImage.Image:
    """The photo at the size that the page shows. Raises `NotAPicture`."""
    return shrink(open_picture(photo), PREVIEW)


def _drawn(photo: bytes, heat: Floats, how: Preprocessing, label: str) -> Image:
    picture = preview(photo)
    pixels = over(heat, how, picture.size)  # (height, width)
    rows, columns = np.nonzero(pixels >= HOT * pixels.max())
    words = alternative(label, columns.mean() / picture.width, rows.mean() / picture.height)
    return shown(laid_over(picture, pixels), words)


def _legend(label: str) -> str:
    what, least, most = legend(label)
    colours = ", ".join(f"rgb{colour}" for colour in SCALE)
    return (
        f"<p>{escape(what)}</p>"
        f'<i style="background: linear-gradient(to right, {colours})"></i>'
        f"<p><span>{escape(least)}</span> <span>{escape(most)}</span></p>"
    )


class Credits(HTML):
    """Who made the pictures that the chosen classifier learnt from, where its bundle says so."""

    def __init__(self, choice: Choice):
        super().__init__()
        self.add_class("kezako-credits")
        self._choice = choice
        choice.observe(self._show, "classifier")
        self._show()

    def _show(self, _change: Any = None) -> None:
        text = escape(self._choice.credits())
        summary = "Pictures it learnt from"
        self.value = (
            f"<details><summary>{summary}</summary><pre>{text}</pre></details>" if text else ""
        )


class Correction(VBox):
    """After an answer: "That's wrong", for visitors who want to teach the classifier better.

    It stays empty unless the maker asked for corrections with `KEZAKO_CORRECTIONS=1`.
    """

    def __init__(self, workspace: Workspace | None = None):  # the nearest one by default
        self._workspace = workspace or Workspace.find()
        self._about: tuple[str, bytes, str] | None = None  # classifier, photo, what was said
        self._kept = 0  # of this visit
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
        """Let the visitor object to `said`, the answer to `photo`."""
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
        except KezakoError as error:  # for whoever reads the log, not for a visitor
            get_logger().warning("A correction could not be kept: %s", error)
            self._said.value = "Thank you, but it could not be kept here."
        except Exception:
            get_logger().exception("A correction could not be kept.")
            self._said.value = "Thank you, but it could not be kept here."
        self.children, self._about = [self._said], None
