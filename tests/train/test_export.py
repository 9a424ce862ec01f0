"""A learner exported for real: stock fastai and the page answer alike."""

from __future__ import annotations

import json
import pickletools
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import kezako.train  # noqa: F401  (before torchvision)
from kezako.export import examples
from kezako.export import run as exporting
from kezako.export.examples import small_jpeg
from kezako.model.bundle import COVER, Card, read_bundle, read_card
from kezako.model.classifier import Classifier
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.train.weights import Weights
from kezako.workspace import Workspace
from tests.cards import check_every_figure

from fastai.vision.all import load_learner  # isort: skip

Gather = Callable[..., tuple[Recipe, Workspace]]
Kind = tuple[str, str, bool]  # task, resize, colour
# Each way to resize, in colour and in grey, is compared in `test_parity.py`.
KINDS: list[Kind] = [("single", "random-crop", False), ("multi", "pad", True)]
WITHOUT_PHOTOS = KINDS[1]

# Run where neither Kezako nor this folder can be imported; prints what stock fastai says to pairs
# of an export and photos.
STOCK = """
import sys, json
sys.modules["kezako"] = None
import torch
try:
    import torchvision
except RuntimeError:  # a CUDA build of torchvision beside a CPU build of torch
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from fastai.vision.all import load_learner
torch.set_num_threads(1)
answers = []
for export, paths in json.load(sys.stdin):
    learner = load_learner(export)
    said = []
    with learner.no_bar():
        for path in paths:
            decoded, _, probabilities = learner.predict(path)
            said.append(dict(zip(map(str, learner.dls.vocab), probabilities.tolist())))
    answers.append(said)
print(json.dumps(answers))
"""
Answers = list[dict[str, float]]  # a photo each: label -> probability


def stock_fastai(export: Path, photos: list[Path], folder: Path) -> Answers:
    """What `load_learner` and `predict` say in a process where Kezako does not exist."""
    return stock_fastai_of([(export, photos)], folder)[0]


def stock_fastai_of(exports: list[tuple[Path, list[Path]]], folder: Path) -> list[Answers]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-I", "-c", STOCK], cwd=folder,
        input=json.dumps([(str(export), list(map(str, photos))) for export, photos in exports]),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: list[Answers] = json.loads(done.stdout.splitlines()[-1])
    return said


@dataclass(frozen=True)
class Exported:
    """An untrained learner's bundle in fp32, and what stock fastai says to every third picture."""

    bundle: Path
    pictures: Pictures
    card: Card
    stock: Answers


@pytest.fixture(scope="module")
def exports(
    a_gathered_recipe: Gather, an_untrained_learner: Any, tmp_path_factory: pytest.TempPathFactory
) -> dict[Kind, Exported]:
    """One of each kind."""
    weights = Weights("starter", "Started from the starter's weights.")
    made = {}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exporting, "FP32_LAYERS", ())  # no int8: what is compared is to be exact
        patched.setattr(examples, "SURE", 0.0)  # what has not learnt is never sure
        for kind in KINDS:
            recipe, workspace = a_gathered_recipe(*kind)
            pictures = Pictures(recipe, workspace)
            learner = an_untrained_learner(recipe, pictures)
            photos = kind != WITHOUT_PHOTOS
            card = exporting.export(learner, recipe, workspace, pictures, weights, photos)
            made[kind] = workspace.bundle(recipe.name), pictures, card
    asked = [(bundle / "export.pkl", pictures.paths[::3]) for bundle, pictures, _ in made.values()]
    said = stock_fastai_of(asked, tmp_path_factory.mktemp("stock"))
    return {
        kind: Exported(*one, stock) for (kind, one), stock in zip(made.items(), said, strict=True)
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind)))
def test_the_page_answers_as_learn_predict_does(kind: Kind, exports: dict[Kind, Exported]) -> None:
    one = exports[kind]
    bundle, card = one.bundle, one.card
    assert card.precision == "fp32"
    classifier = Classifier.open(bundle)
    photos = one.pictures.paths[::3]
    for photo, theirs in zip(photos, one.stock, strict=True):
        ours = classifier.predict(photo).probabilities
        assert ours.keys() == theirs.keys()
        assert all(abs(ours[label] - theirs[label]) < 1e-3 for label in ours), photo
    check_head(classifier, photos)
    if card.task == "multi":
        check_names(bundle, classifier, photos)


@pytest.mark.slow
def test_its_examples_are_validation_pictures_that_it_answers_rightly(
    exports: dict[Kind, Exported],
) -> None:
    one = exports[KINDS[0]]
    classifier = Classifier.open(one.bundle)
    assert 0 < len(one.card.examples) <= 6
    valid = {small_jpeg(path): one.pictures.recipe.labels_of(path.parent.name)
             for path in one.pictures.valid}  # fmt: skip
    _, files = read_bundle(one.bundle, lambda card: card.files)
    for example in one.card.examples:
        assert valid[files[example.file]] == (example.label,)
        assert classifier.predict(files[example.file]).labels == (example.label,)
        assert example.credit is None  # the maker's own
    assert len({files[example.file] for example in one.card.examples}) == len(one.card.examples)
    assert "of the maker's own pictures" in files["README.md"].decode()
    assert Image.open(one.bundle / COVER).size == (1200, 630)


@pytest.mark.slow
def test_without_photos_there_are_no_examples(exports: dict[Kind, Exported]) -> None:
    bundle = exports[WITHOUT_PHOTOS].bundle
    assert not (bundle / "examples").exists()
    assert exports[WITHOUT_PHOTOS].card.examples == ()
    assert COVER in read_card(bundle).files


def check_names(bundle: Path, classifier: Classifier, photos: list[Path]) -> None:
    """fastai names the labels that the page names, each from its own threshold on."""
    thresholds = classifier.card.thresholds
    assert set(thresholds.values()) != {0.5}
    learner = load_learner(bundle / "export.pkl")
    differ = 0
    with learner.no_bar():
        for photo in photos:
            p = classifier.predict(photo).probabilities
            if min(abs(p[label] - thresholds[label]) for label in p) < 1e-3:
                continue  # rounding may decide
            named = {label for label in p if p[label] >= thresholds[label]}
            assert set(learner.predict(photo)[0]) == named
            differ += named != {label for label in p if p[label] >= 0.5}
    assert differ, "or the thresholds decide nothing"


def check_head(classifier: Classifier, photos: list[Path]) -> None:
    """The head of the pooled map is the model's answer, so that "why" explains that very answer."""
    batch = np.stack([classifier.prepare(photo) for photo in photos])
    scores = classifier.run(batch)
    assert scores.map is not None
    assert classifier.head is not None
    pooled = np.concatenate([scores.map.max(axis=(2, 3)), scores.map.mean(axis=(2, 3))], axis=1)
    assert np.abs(classifier.head.logits(pooled) - scores.logits).max() < 1e-4
    grey = classifier.run(np.zeros_like(batch[:1])).map
    assert grey is not None
    assert np.abs(classifier.head.grey - grey[0]).max() < 1e-4
    answer = classifier.answer(scores)
    heat = classifier.why(scores, next(iter(answer.probabilities)))
    assert heat is None or heat.shape == scores.map.shape[2:]


@pytest.mark.slow
def test_a_bundle_tells_the_truth_and_holds_nothing_of_this_machine(
    exports: dict[Kind, Exported],
) -> None:
    one = exports["single", "random-crop", False]
    bundle, pictures, card = one.bundle, one.pictures, one.card
    assert read_card(bundle) == card
    assert "![confusion matrix](confusion.png)" in (bundle / "README.md").read_text()
    check_figures(bundle, pictures, card)
    names, texts = what_is_pickled(bundle / "export.pkl")
    assert not [name for name in names if name.startswith(("kezako", "__main__", "cloudpickle"))]
    assert not [text for text in texts if str(bundle.parents[1]) in text]
    assert load_learner(bundle / "export.pkl").path == Path()


def check_figures(bundle: Path, pictures: Pictures, card: Card) -> None:
    """Against what the page answers; the limit is judged by pictures that did not set it."""
    classifier = Classifier.open(bundle)
    answers = {path: classifier.predict(path) for path in pictures.valid}
    right = [
        next(iter(answer.probabilities)) == path.parent.name for path, answer in answers.items()
    ]
    count = len(pictures.valid)
    assert card.figures["validation"]["error"] == pytest.approx(1 - sum(right) / count, abs=1e-4)
    for label, found in card.figures["validation"]["classes"].items():
        own = [path for path in pictures.valid if path.parent.name == label]
        wrong = [path for path in own if next(iter(answers[path].probabilities)) != label]
        assert (found["wrong"], found["pictures"]) == (len(wrong), len(own))
    assert all(answer.known for answer in answers.values()), "of 12 the greatest is the limit"
    assert card.figures["none_of_these"]["passed"] <= (count - 1) / count + 1e-5
    check_every_figure(card)


def what_is_pickled(export: Path) -> tuple[set[str], set[str]]:
    """The classes and functions that an export names, and the texts that it holds."""
    with zipfile.ZipFile(export) as archive:
        name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        stream = list(pickletools.genops(archive.read(name)))
    names = {str(argument) for operation, argument, _ in stream if operation.name == "GLOBAL"}
    return names, {argument for _, argument, _ in stream if isinstance(argument, str)}
