"""A classification that takes too long is given up with a sentence, and the next one works."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ipywidgets import Button, Label
from onnx import TensorProto, helper
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from kezako.model.bundle import MODEL, BundleError, amend
from kezako.model.classifier import Classifier, TookTooLong
from kezako.model.runtime import SECONDS, patience
from kezako.page import Choice, Stage
from kezako.words import words

Bundle = Callable[..., Path]
PATIENCE = "KEZAKO_PATIENCE"
LAYERS = 100  # of a convolution each: long enough to be caught at it


def slow_model(labels: int, size: int = 32, channels: int = 64) -> bytes:
    """A model that takes its time: the same convolution again and again."""
    weights = np.full((channels, channels, 5, 5), 1 / (25 * channels), np.float32)
    first, last = np.ones((channels, 3, 1, 1)), np.eye(channels, labels)
    names = ["wide", *(f"layer{n}" for n in range(LAYERS))]
    nodes = [helper.make_node("Conv", ["pictures", "first"], ["wide"])]
    nodes += [
        helper.make_node("Conv", [before, "weights"], [after], pads=[2, 2, 2, 2])
        for before, after in pairwise(names)
    ]
    nodes += [
        helper.make_node("GlobalAveragePool", [names[-1]], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        helper.make_node("MatMul", ["features", "last"], ["logits"]),
    ]
    sizes: dict[str, np.ndarray] = {"weights": weights, "first": first, "last": last}
    graph = helper.make_graph(
        nodes, "slow",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["N", 3, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", labels]),
         helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", channels])],
        [helper.make_tensor(name, TensorProto.FLOAT, value.shape, value.ravel().tolist())
         for name, value in sizes.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8  # what every ONNX Runtime of the last years reads
    return bytes(model.SerializeToString())


@pytest.fixture
def a_slow_bundle(a_bundle: Bundle, tmp_path: Path) -> Path:
    folder = a_bundle(tmp_path, "slow", ("red", "green", "blue"))
    amend(folder, {MODEL: slow_model(3)})
    return folder


def test_it_is_given_up_and_the_next_one_works(
    a_slow_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATIENCE, "0.01")
    classifier = Classifier.open(a_slow_bundle, threads=1)
    picture = np.ones((1, 3, 32, 32), np.float32)
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(TookTooLong, match=r"longer than 0\.01 s"):
            classifier.run(picture)
    assert threading.active_count() == before
    classifier._model._seconds = 60
    assert classifier.run(picture).logits.shape == (1, 3)


def test_many_pictures_may_take_longer_than_one(
    a_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATIENCE, "30")
    classifier = Classifier.open(a_bundle(tmp_path, "quick", ("red", "green", "blue")))
    assert len(classifier.run(np.zeros((500, 3, 32, 32), np.float32))) == 500


def test_the_page_says_so_and_offers_another_try(tmp_path: Path) -> None:
    button, label = Button(), Label()
    with Stage(Choice(tmp_path), button, label).careful("Looking …", then="answer"):
        raise TookTooLong("The classification took longer than 20 s.")
    assert label.value == words()("too_long")
    assert "too long" in label.value
    assert (button.description, button.disabled) == ("Classify", False)


def test_a_model_that_fails_is_not_called_slow(a_bundle: Bundle, tmp_path: Path) -> None:
    classifier = Classifier.open(a_bundle(tmp_path, "quick", ("red", "green", "blue")))
    with pytest.raises(InvalidArgument, match="pictures"):
        classifier.run(np.zeros((1, 2, 32, 32), np.float32))


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf", "1e9"])
def test_a_setting_that_is_no_time_is_refused_with_what_to_do(
    text: str, a_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_bundle(tmp_path, "quick", ("red", "green", "blue"))
    monkeypatch.setenv(PATIENCE, text)
    with pytest.raises(BundleError, match=f"{PATIENCE} is '{text}'; give seconds"):
        Classifier.open(folder)


def test_without_a_setting_it_is_generous() -> None:
    assert patience({}) == patience({PATIENCE: ""}) == SECONDS >= 10
    assert patience({PATIENCE: "2.5"}) == 2.5


def test_threads_are_a_whole_number(
    a_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_bundle(tmp_path, "quick", ("red", "green", "blue"))
    monkeypatch.setenv("KEZAKO_THREADS", "some")
    with pytest.raises(BundleError, match="KEZAKO_THREADS is 'some'; give a whole number"):
        Classifier.open(folder)
    monkeypatch.setenv("KEZAKO_THREADS", "1")
    assert Classifier.open(folder).card.name == "quick"
