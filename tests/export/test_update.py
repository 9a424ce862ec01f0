"""`kezako update` gives a classifier its recipe's words, and leaves the model as it is."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

from kezako.cli import main
from kezako.export.card import CONFUSION, model_card, write_model_card
from kezako.model.bundle import (
    COVER,
    CREDITS,
    MODEL,
    new_bundle,
    read_bundle,
    read_card,
    write_card,
)
from kezako.model.classifier import Classifier
from kezako.workspace import Workspace
from tests.cards import a_measured_card

WRITTEN = Path(__file__).parents[1] / "release_0_1_0"
RECIPE = """
title = "Which mood?"
answer = "It looks {label}."
language = "de"
[words.de]
title = "Welche Laune?"
[words.de.classes]
sad = "traurig"
[classes]
happy = { name = "happy face" }
sad = []
surprised = []
"""


@pytest.fixture
def written(an_empty_workspace: Workspace) -> Workspace:
    """A classifier that release 0.1.0 trained, and a recipe with other words."""
    shutil.copytree(WRITTEN / "models" / "smileys", an_empty_workspace.bundle("smileys"))
    data = an_empty_workspace.folder("smileys")
    data.mkdir(parents=True)
    (data / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return an_empty_workspace


def test_words_change_and_the_model_does_not(
    written: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = written.bundle("smileys")
    before = read_card(bundle)
    inode = (bundle / "model.onnx").stat().st_ino
    assert main(["update", "smileys"]) == 0
    assert "It tells apart: happy face, sad, surprised." in capsys.readouterr().out
    card, files = read_bundle(bundle, lambda card: card.files)  # every checksum fits
    assert (card.title, card.answer, card.language) == ("Which mood?", "It looks {label}.", "de")
    assert (card.name_of("happy"), card.name_of("sad", "de")) == ("happy face", "traurig")
    assert card.texts("de").title == "Welche Laune?"
    assert (card.labels, card.figures, card.training) == (
        before.labels, before.figures, before.training,
    )  # fmt: skip
    assert (bundle / "model.onnx").stat().st_ino == inode
    assert files[CREDITS] == (WRITTEN / "models/smileys" / CREDITS).read_bytes()
    assert Image.open(io.BytesIO(files[COVER])).size == (1200, 630)
    # Its figures lack what a card of today tells, so its README.md stays as it was written.
    assert files["README.md"] == (WRITTEN / "models/smileys/README.md").read_bytes()
    Classifier.open(bundle)


def test_the_card_for_people_is_written_anew(an_empty_workspace: Workspace) -> None:
    """README.md and the plot call the classes by their names."""
    workspace = an_empty_workspace
    data, bundle = workspace.folder("bears"), workspace.bundle("bears")
    data.mkdir(parents=True)
    recipe = '[classes]\nblack = { name = "black bear" }\ngrizzly = []\nteddy = []\n'
    (data / "recipe.toml").write_text(recipe, encoding="utf-8")
    with new_bundle(bundle) as folder:
        (folder / MODEL).write_bytes(b"a model that nobody opens here")
        write_model_card(a_measured_card(), folder)
        write_card(folder, a_measured_card())
    _, before = read_bundle(bundle, lambda card: card.files)
    assert main(["update", "bears"]) == 0
    card, files = read_bundle(bundle, lambda card: card.files)
    assert files["README.md"].decode() == model_card(card)
    assert "Tells apart: black bear, grizzly, teddy." in files["README.md"].decode()
    assert "| black bear | " in files["README.md"].decode()
    assert files[CONFUSION] != before[CONFUSION]
    assert files[MODEL] == before[MODEL]


def test_a_second_time_changes_nothing(written: Workspace) -> None:
    assert main(["update", "smileys"]) == 0
    first = read_card(written.bundle("smileys"))
    assert main(["update", "smileys"]) == 0
    assert read_card(written.bundle("smileys")) == first


def test_other_classes_need_a_training(
    written: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_card(written.bundle("smileys"))
    path = written.folder("smileys") / "recipe.toml"
    path.write_text(path.read_text("utf-8").replace("surprised", "angry"), encoding="utf-8")
    assert main(["update", "smileys"]) == 2
    said = capsys.readouterr().err
    assert "Train it with: kezako train smileys" in said
    assert len(said.splitlines()) == 1
    assert read_card(written.bundle("smileys")) == before


def test_what_is_not_trained_is_told(
    written: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(written.bundle("smileys"))
    assert main(["update", "smileys"]) == 2
    assert "Train one with: kezako train smileys" in capsys.readouterr().err


def test_a_title_without_a_font_for_it_is_accepted(written: Workspace) -> None:
    path = written.folder("smileys") / "recipe.toml"
    path.write_text(path.read_text("utf-8").replace("Which mood?", "\U00012000"), "utf-8")
    assert main(["update", "smileys"]) == 0
    assert read_card(written.bundle("smileys")).title == "\U00012000"
