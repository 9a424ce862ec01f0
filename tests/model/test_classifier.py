"""From scores to an answer, and what a classifier refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kezako.model.bundle import CARD, KNOWN, BundleError, Card, new_bundle, read_card, write_card
from kezako.model.classifier import Classifier, NotAPicture, Scores
from kezako.model.ood import OutOfDistribution, unit

Bundle = Callable[..., Path]


@pytest.fixture
def reopened(a_bundle: Bundle, tmp_path: Path) -> Callable[..., Classifier]:
    """Opens the classifier of a picture's mean colour with some of its card changed."""

    def open_changed(task: str = "single", **changes: object) -> Classifier:
        folder = a_bundle(tmp_path / "models", "colours", ("red", "green", "blue"), task=task)
        if "known" in changes:
            bank = np.eye(3, dtype=np.float32)[:2]  # reddish and greenish pictures were learnt
            OutOfDistribution(bank, 1).write(folder / KNOWN)
        card = json.loads((folder / CARD).read_text()) | changes
        (folder / CARD).write_text(json.dumps(card))
        write_card(folder, read_card(folder))
        return Classifier.open(folder)

    return open_changed


def scores(*logits: float, features: tuple[float, ...] = (1, 0, 0)) -> Scores:
    return Scores(np.array([logits], np.float32), np.array([features], np.float32))


def test_the_most_probable_class_comes_first(reopened: Callable[..., Classifier]) -> None:
    answer = reopened().answer(scores(0.0, 2.0, 1.0))
    assert (answer.label, answer.labels, answer.known) == ("green", ("green",), True)
    assert list(answer.probabilities) == ["green", "blue", "red"]
    assert sum(answer.probabilities.values()) == pytest.approx(1)


def test_a_picture_far_from_all_that_was_learnt_has_no_label(
    reopened: Callable[..., Classifier],
) -> None:
    classifier = reopened(known=0.5)
    assert classifier.answer(scores(9, 0, 0, features=(1, 0, 0))).known
    answer = classifier.answer(scores(9, 0, 0, features=(0, 0, 1)))
    assert (answer.label, answer.labels, answer.known) == (None, (), False)
    assert answer.probabilities["red"] > 0.99  # the page may still show them


def test_several_labels_each_have_their_threshold(reopened: Callable[..., Classifier]) -> None:
    classifier = reopened("multi", thresholds={"red": 0.9, "green": 0.2})
    answer = classifier.answer(scores(1.0, -1.0, 1.0))  # 0.73, 0.27, 0.73
    assert answer.labels == ("blue", "green")
    assert classifier.answer(scores(-3, -3, -3)).labels == ()
    assert classifier.answer(scores(-3, -3, -3)).known


def test_a_whole_picture_goes_all_the_way(reopened: Callable[..., Classifier]) -> None:
    classifier = reopened()
    assert classifier.prepare(Image.new("RGB", (300, 200), "blue")).shape == (3, 32, 32)
    assert classifier.predict(Image.new("RGB", (300, 200), "blue")).label == "blue"
    batch = np.stack([classifier.prepare(Image.new("RGB", (9, 9), c)) for c in ("red", "lime")])
    both = classifier.run(batch)
    assert [classifier.answer(both[i]).label for i in range(len(both))] == ["red", "green"]


def test_what_is_no_picture_is_refused_with_a_sentence(reopened: Callable[..., Classifier]) -> None:
    with pytest.raises(NotAPicture, match="not a picture"):
        reopened().predict(b"words")


def test_distance_is_one_minus_the_similarity_of_the_nearest() -> None:
    bank = unit(np.array([[1, 0], [0, 2], [1, 1]], np.float32))
    distance = OutOfDistribution(bank, 2).distance(np.array([[5, 0], [-1, 0]], np.float32))
    assert distance[0] == pytest.approx(1 - (1 + 0.5**0.5) / 2)
    assert distance[1] == pytest.approx(1 - (0 - 0.5**0.5) / 2)


def test_the_bank_survives_being_written(tmp_path: Path) -> None:
    bank = unit(np.random.default_rng(0).normal(size=(50, 16)).astype(np.float32))
    OutOfDistribution(bank, 5).write(tmp_path / KNOWN)
    read = OutOfDistribution.read((tmp_path / KNOWN).read_bytes())
    query = bank[:3] + np.float32(0.1)
    assert read.distance(query) == pytest.approx(
        OutOfDistribution(bank, 5).distance(query), abs=1e-3
    )


def test_a_bank_with_pickled_objects_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / KNOWN, bank=np.array([{"a": 1}], dtype=object), neighbours=1)
    with pytest.raises(BundleError):
        OutOfDistribution.read((tmp_path / KNOWN).read_bytes())


def test_a_model_that_is_none_is_refused(a_bundle: Bundle, tmp_path: Path) -> None:
    folder = a_bundle(tmp_path, "colours", ("red", "green", "blue"))
    card: Card = read_card(folder)
    with new_bundle(folder) as staged:
        (staged / "model.onnx").write_bytes(b"no model")
        write_card(staged, card)
    with pytest.raises(BundleError, match="no model that ONNX Runtime opens"):
        Classifier.open(folder)
