"""When "Why?" is offered, without a browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ipywidgets import Output
from PIL import Image

from kezako import page
from kezako.model.classifier import Answer, Classifier, Scores
from kezako.model.explanation import SCALE
from tests.looking import tells_why
from tests.page.photos import drawn, encoded

PHOTO = ({"output_type": "display_data", "data": {"image/jpeg": "…"}, "metadata": {}},)


@pytest.fixture
def a_classifier(a_bundle: Callable[..., Path], tmp_path: Path) -> Classifier:
    labels = ("<b>red</b>", "green", "blue")
    return Classifier.open(tells_why(a_bundle(tmp_path, "looking", labels)))


def a_choice() -> page.Choice:
    return page.Choice(Path("no such folder"))


def asked(classifier: Classifier, photo: bytes) -> tuple[Scores, Answer]:
    scores = classifier.run(classifier.prepare(photo)[None])
    return scores, classifier.answer(scores)


def test_the_photo_is_exchanged_and_given_back(a_classifier: Classifier) -> None:
    image = Image.new("RGB", (300, 200), (124, 116, 104))
    image.paste((230, 20, 20), (200, 100, 300, 200))
    photo = encoded(image, "PNG")
    picture = Output(outputs=PHOTO)
    why = page.Why(a_choice(), picture)
    assert not why.children
    why.offer(a_classifier, *asked(a_classifier, photo), photo)
    (button,) = why.children
    assert picture.outputs == PHOTO
    button.click()
    (shown,) = picture.outputs
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown["data"]["image/jpeg"]))))
    assert pixels.shape == (200, 300, 3)
    yellow = pixels[..., 0].astype(int) - pixels[..., 2]
    assert yellow[160:190, 250:290].min() > 100 > 50 > yellow[:90, :140].max()
    assert shown["metadata"]["image/jpeg"]["alt"].endswith("most of it at the bottom right.")
    assert button.description == "Hide"
    button.click()
    assert picture.outputs == PHOTO
    assert list(why.children) == [button]
    assert button.description == "Why?"
    button.click()
    why.clear()
    assert (picture.outputs, list(why.children), why.legend.value) == (PHOTO, [], "")


def test_names_in_the_legend_are_escaped(a_classifier: Classifier) -> None:
    photo = drawn()
    why = page.Why(a_choice(), Output(outputs=PHOTO))
    why.offer(a_classifier, *asked(a_classifier, photo), photo)
    why.children[0].click()
    assert "&lt;b&gt;red&lt;/b&gt;" in why.legend.value
    assert all(f"rgb{colour}" in why.legend.value for colour in SCALE)


def test_none_of_these_has_no_why(a_classifier: Classifier) -> None:
    photo = drawn()
    scores, answer = asked(a_classifier, photo)
    why = page.Why(a_choice(), Output(outputs=PHOTO))
    why.offer(a_classifier, scores, replace(answer, label=None, labels=(), known=False), photo)
    assert not why.children


def test_a_model_without_a_map_has_no_why(a_bundle: Callable[..., Path], tmp_path: Path) -> None:
    classifier = Classifier.open(a_bundle(tmp_path, "colours", ("red", "green", "blue")))
    why = page.Why(a_choice(), Output(outputs=PHOTO))
    why.offer(classifier, *asked(classifier, drawn()), drawn())
    assert not why.children


def test_the_scale_grows_evenly_brighter() -> None:
    """So that it can be read without telling its colours apart."""
    linear = (np.array(SCALE) / 255) ** 2.2
    lightness = (linear @ [0.2126, 0.7152, 0.0722]) ** (1 / 2.4)
    steps = np.diff(lightness)
    assert steps.min() > 0
    assert steps.max() < 2 * steps.min()
