"""A fit that is stopped leaves a learner that trains on and exports like any other."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback as FastaiCallback
from fastai.callback.fp16 import MixedPrecision
from fastai.learner import Learner
from fastai.torch_core import get_model

from kezako.export import run as exporting
from kezako.model.classifier import Classifier
from kezako.recipe import Recipe
from kezako.train.cache import PicturesInMemory
from kezako.train.checkpoint import Checkpoint
from kezako.train.dataset import Pictures
from kezako.train.fit import BFloat16OnCPU, EarlyStop, EpochLines, half_callbacks
from kezako.train.quick import fit_head
from kezako.train.weights import Weights
from kezako.workspace import Workspace

Draw = Callable[..., tuple[Recipe, Workspace]]


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """What starts the tests may have told them to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Stop(FastaiCallback):
    """Presses Ctrl+C at an event of a batch, at most once."""

    order = 30  # after half precision has begun

    def __init__(self, at: str, batch: int = 1, epoch: int = 0):
        self.at, self.batch, self.epoch_, self.pressed = at, batch, epoch, False

    def _press(self, event: str) -> None:
        now = self.learn.iter, self.learn.epoch
        if event == self.at and not self.pressed and now == (self.batch, self.epoch_):
            self.pressed = True
            signal.raise_signal(signal.SIGINT)

    def before_batch(self) -> None:
        self._press("before_batch")

    def after_pred(self) -> None:
        self._press("after_pred")

    def after_batch(self) -> None:
        self._press("after_batch")


@pytest.fixture
def a_learner(
    some_faces: Draw, an_untrained_learner: Any, the_starter: Weights
) -> tuple[Learner, Recipe, Workspace, Pictures]:
    """With what `fitting_callbacks` gives on a machine whose bfloat16 is fast."""
    recipe, workspace = some_faces(epochs=2)
    pictures = Pictures(recipe, workspace)
    learn = an_untrained_learner(recipe, pictures)
    learn.add_cbs([PicturesInMemory(), EpochLines(), EarlyStop(), *half_callbacks(torch.bfloat16),
                   Checkpoint(recipe, pictures, the_starter)])  # fmt: skip
    return learn, recipe, workspace, pictures


def stopped(learn: Learner, at: str, **when: int) -> None:
    stop = Stop(at, **when)
    learn.add_cb(stop)
    with pytest.raises(KeyboardInterrupt):
        learn.fine_tune(2, 2e-3, freeze_epochs=0)
    learn.remove_cb(stop)


def check_as_it_was(learn: Learner) -> None:
    assert not torch.is_autocast_enabled("cpu")
    assert torch.autocast_increment_nesting() == 1  # of none
    torch.autocast_decrement_nesting()
    weights = get_model(learn.model)[0][0].weight
    assert weights.is_contiguous(memory_format=torch.contiguous_format)
    opener = learn.dls.train_ds.tls[0].tfms.fs
    assert not any("PicturesInMemory" in repr(step) for step in opener)
    assert not hasattr(learn.progress, "mbar")


@pytest.mark.parametrize("at", ["before_batch", "after_pred", "after_batch"])
def test_nothing_of_the_fit_is_left_on(at: str, a_learner: tuple[Learner, Any, Any, Any]) -> None:
    learn = a_learner[0]
    opener = list(learn.dls.train_ds.tls[0].tfms.fs)
    stopped(learn, at)
    check_as_it_was(learn)
    assert list(learn.dls.train_ds.tls[0].tfms.fs) == opener
    one = learn.dls.test_dl(learn.dls.valid_ds.items[:1], num_workers=0).one_batch()[0]
    assert learn.model.eval()(one).dtype == torch.float32


@pytest.mark.slow
def test_what_is_exported_after_it_answers_as_the_learner_does(
    a_learner: tuple[Learner, Recipe, Workspace, Pictures],
    the_starter: Weights,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporting, "FP32_LAYERS", ())  # no int8: what is compared is to be exact
    learn, recipe, workspace, pictures = a_learner
    stopped(learn, "before_batch", epoch=1)
    card = exporting.export(learn, recipe, workspace, pictures, the_starter)
    assert len(card.training["epochs"]) == 1
    classifier = Classifier.open(workspace.bundle(recipe.name))
    loader = learn.dls.test_dl(pictures.valid, num_workers=0)
    learn.remove_cb(BFloat16OnCPU)  # what is compared is to be exact
    with learn.no_bar():
        logits = learn.get_preds(dl=loader, act=lambda logits: logits)[0] / card.temperature
    for path, theirs in zip(pictures.valid, logits.softmax(dim=1).numpy(), strict=True):
        ours = classifier.predict(path).probabilities
        assert np.allclose([ours[label] for label in card.labels], theirs, atol=1e-3), path


@pytest.mark.slow
def test_it_can_be_trained_on(a_learner: tuple[Learner, Any, Any, Any]) -> None:
    learn = a_learner[0]
    stopped(learn, "after_pred")
    with learn.no_bar(), learn.no_logging():
        learn.fine_tune(1, 2e-3, freeze_epochs=0)
    assert len(learn.epoch_lines.rows) == 1
    check_as_it_was(learn)


def test_the_last_layers_stopped_leave_no_trace(
    a_learner: tuple[Learner, Any, Any, Any],
    the_starter: Weights,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learn = a_learner[0]
    fit = Learner.fit_one_cycle

    def with_a_stop(small: Learner, *given: Any, **more: Any) -> None:
        small.add_cb(Stop("before_batch"))
        fit(small, *given, **more)

    monkeypatch.setattr(Learner, "fit_one_cycle", with_a_stop)
    frozen = [weights.requires_grad for weights in learn.model.parameters()]
    with pytest.raises(KeyboardInterrupt):
        fit_head(learn, the_starter)
    check_as_it_was(learn)
    assert [weights.requires_grad for weights in learn.model.parameters()] == frozen


def test_an_error_of_a_callback_ends_it_as_well(a_learner: tuple[Learner, Any, Any, Any]) -> None:
    learn = a_learner[0]

    class Broken(FastaiCallback):
        order = 30

        def after_pred(self) -> None:
            raise RuntimeError("boom")

    learn.add_cb(Broken())
    with pytest.raises(RuntimeError, match="boom"):
        learn.fine_tune(1, 2e-3, freeze_epochs=0)
    check_as_it_was(learn)


def test_half_precision_that_was_on_before_stays_on(
    a_learner: tuple[Learner, Any, Any, Any],
) -> None:
    learn = a_learner[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        stopped(learn, "before_batch")
        assert torch.is_autocast_enabled("cpu")
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.filterwarnings("ignore::UserWarning")  # without a GPU it says so
def test_the_half_precision_of_fastai_has_the_name_that_is_looked_for() -> None:
    """On a GPU it is fastai's callback whose autocast has to be left."""
    callback = MixedPrecision()
    callback.learn = type("AnyLearner", (), {})()
    callback.before_fit()
    assert callback.autocast.device == "cuda"
