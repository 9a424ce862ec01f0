"""Open the page, choose a photo, read the right label: three servers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kezako.model.classifier import Classifier
from kezako.model.wording import headline
from tests.page.photos import PHOTOS, drawn
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Case:
    """Which classifier to ask, a photo, and what it shows."""

    model: str
    photo: bytes
    label: str
    sentence: str


@pytest.fixture(scope="session")
def a_case(a_workspace: Path) -> Case:
    """A grizzly bear, where there are photos; else a drawn picture."""
    bundle, photos = a_workspace / "models" / "bears", PHOTOS / "bears" / "grizzly"
    if not photos.is_dir():
        return Case("colours", drawn(), "red", "This is red.")
    classifier = Classifier.open(bundle, threads=1)
    for photo in sorted(photos.iterdir())[:10]:
        answer = classifier.predict(photo)
        if answer.label == "grizzly" and answer.probabilities["grizzly"] > 0.9:
            said = headline(classifier.card, answer)
            name = classifier.card.name_of("grizzly")
            return Case("bears", photo.read_bytes(), name, said)
    raise AssertionError("The shipped classifier knows none of ten grizzly bears.")


@pytest.mark.parametrize("server", ["a_voila", "a_jupyter_server", "a_kezako_serve"])
def test_a_photo_gets_its_label(
    server: str, request: pytest.FixtureRequest, a_case: Case, a_desk: Page
) -> None:
    address = request.getfixturevalue(server)
    separator = "&" if "?" in address else "?"
    visitor = Visitor(a_desk).opens(f"{address}{separator}model={a_case.model}")
    expect(visitor.button).to_be_hidden()
    visitor.chooses("my photo.jpg", a_case.photo)
    expect(visitor.picture).to_be_visible()
    assert visitor.reads() == a_case.sentence
    assert a_case.label in a_case.sentence
    assert visitor.bars.first.locator("span").inner_text() == a_case.label
    assert visitor.bars.count() == 3
