"""From nothing to a classifier by the command line alone, without network, on the drawn sample."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from kezako.export.cover import draw_cover
from kezako.gather.sample import draw_face
from kezako.model.bundle import COVER, EXPORT, MODEL, REPORT, read_bundle, read_card
from kezako.model.classifier import Classifier
from tests.cards import check_every_figure
from tests.edited import edited
from tests.train.test_export import stock_fastai

ROOT = Path(__file__).parents[2]
DEADLINE = 900  # seconds, on a busy machine


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the drawn sample and a classifier trained on it."""
    home = tmp_path_factory.mktemp("home")
    done = run(home, "sample", "smileys", "--pictures", "50")
    assert "150 pictures" in done.stdout, done.stderr
    recipe = home / "data" / "smileys" / "recipe.toml"
    recipe.write_text(
        edited(recipe.read_text("utf-8"), "\nepochs = 10\n", "\nepochs = 5\n"), "utf-8"
    )
    done = run(home, "train", "smileys")
    assert done.returncode == 0, done.stderr
    assert "epoch 1 of" in done.stderr
    assert "Next: kezako serve smileys" in done.stdout
    wrong = round(30 * read_card(home / "models" / "smileys").figures["validation"]["error"])
    assert f"({wrong} of 30 pictures; 95 % confidence interval:" in done.stdout
    assert "The page shows 6 of the pictures as examples to try" in done.stdout
    return home


def command(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kezako", *arguments],
        cwd=home, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "KEZAKO_HOME": str(home), "PYTHONPATH": str(ROOT),
             "KEZAKO_WEIGHTS": "starter"},
        start_new_session=True,
    )  # fmt: skip


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    process = command(home, *arguments)
    out, err = process.communicate(timeout=DEADLINE)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.mark.slow
@pytest.mark.hosts
def test_the_error_is_low_and_the_card_says_how_it_was_trained(home: Path) -> None:
    card = read_card(home / "models" / "smileys")
    assert card.figures["validation"]["error"] <= 0.12
    assert "starter weights" in card.training["weights"]
    assert card.training["pictures"]["happy"] == {"train": 40, "valid": 10}
    check_every_figure(card)
    epochs = card.training["epochs"]
    assert 0 < len(epochs) <= 5
    assert all({"valid_loss", "error_rate"} < set(epoch) for epoch in epochs)
    readme = (home / "models" / "smileys" / "README.md").read_text()
    assert f"for {len(epochs)} epochs of at most 5" in readme
    report = (home / "models" / "smileys" / REPORT).read_text()
    assert "Confusion matrix" in report or "<img" in report
    assert "starter weights" in report


@pytest.mark.slow
@pytest.mark.hosts
def test_faces_it_never_saw_get_their_name(home: Path) -> None:
    classifier = Classifier.open(home / "models" / "smileys")
    faces = [(mood, draw_face(mood, number, seed=7)) for mood in classifier.card.labels
             for number in range(20)]  # fmt: skip
    right = sum(next(iter(classifier.predict(face).probabilities)) == mood for mood, face in faces)
    assert right >= 0.8 * len(faces)


@pytest.mark.slow
@pytest.mark.hosts
def test_there_are_two_examples_of_each_mood_and_a_cover_with_three(home: Path) -> None:
    bundle = home / "models" / "smileys"
    card, files = read_bundle(bundle, lambda card: card.files)
    classifier = Classifier.open(bundle)
    assert Counter(each.label for each in card.examples) == dict.fromkeys(card.labels, 2)
    for each in card.examples:
        assert classifier.predict(files[each.file]).label == each.label
    assert files[COVER] == draw_cover(card, [files[each.file] for each in card.examples[:3]])


@pytest.mark.slow
@pytest.mark.hosts
def test_stock_fastai_opens_the_export_and_agrees(home: Path, tmp_path: Path) -> None:
    bundle = home / "models" / "smileys"
    classifier = Classifier.open(bundle)
    photos = sorted((home / "data" / "smileys" / "pictures").glob("*/*.jpg"))[::3]
    assert len(photos) == 50
    allowed = 1e-3 if classifier.card.precision == "fp32" else 0.15
    same = 0
    for photo, theirs in zip(photos, stock_fastai(bundle / EXPORT, photos, tmp_path), strict=True):
        ours = classifier.predict(photo).probabilities
        assert all(abs(ours[label] - theirs[label]) < allowed for label in ours), photo
        same += max(theirs, key=lambda label: theirs[label]) == next(iter(ours))
    assert same >= 49


def killed_when(process: subprocess.Popen[str], ready: Callable[[], bool]) -> None:
    """Kill the command and all it started, at the first moment that `ready`."""
    end = time.monotonic() + DEADLINE
    while not ready() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert process.poll() is None, "it ended before it could be killed"
    kernels = psutil.Process(process.pid).children(recursive=True)  # in groups of their own
    for one in [*kernels, process]:
        one.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.hosts
def test_a_kill_while_exporting_leaves_the_old_classifier_whole(
    tmp_path: Path, a_bundle: Callable[..., Path]
) -> None:
    assert run(tmp_path, "sample", "smileys", "--pictures", "10").returncode == 0
    models = tmp_path / "models"
    a_bundle(models, "smileys", ("happy", "sad", "surprised"))
    before = (models / "smileys" / MODEL).read_bytes()
    recipe = tmp_path / "data" / "smileys" / "recipe.toml"
    small = edited(recipe.read_text("utf-8"), "image_size = 96", "image_size = 64")
    recipe.write_text('fit = "quick"\n' + small, "utf-8")
    killed_when(command(tmp_path, "train", "smileys"),
                lambda: any(models.glob(f".smileys.new-*/{EXPORT}")))  # fmt: skip
    assert (models / "smileys" / MODEL).read_bytes() == before
    Classifier.open(models / "smileys").predict(draw_face("happy", 1))
