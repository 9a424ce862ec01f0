"""A fit ends early where nothing falls any more, and not while something does."""

from __future__ import annotations

import pytest
import torch
from fastai.vision.all import DataLoader, DataLoaders, Learner, error_rate
from torch import nn

from kezako.train.fit import EarlyStop, EpochLines, is_settled, watched


@pytest.mark.parametrize(
    ("values", "settled"),
    [
        ([5, 4, 3, 2, 1], False),
        ([5, 1, 2, 3, 2], True),
        ([5, 1, 2, 3, 1], True),  # no better than before
        ([5, 3, 3, 3, 2.9], False),
    ],
)
def test_what_has_settled(values: list[float], settled: bool) -> None:
    assert is_settled(values, patience=3) == settled


def test_the_loss_and_the_error_are_watched() -> None:
    row = {"train_loss": 1.0, "valid_loss": 1.0, "error_rate": 0.5}
    assert watched(row) == ["valid_loss", "error_rate"]
    assert watched({"valid_loss": 1.0, "accuracy_multi": 0.5}) == ["valid_loss"]


def a_learner() -> Learner:
    pairs = [(torch.tensor([float(n % 2)]), n % 2) for n in range(16)]
    torch.manual_seed(0)
    return Learner(
        DataLoaders(DataLoader(pairs, bs=4), DataLoader(pairs, bs=4)),
        nn.Linear(1, 2), loss_func=nn.CrossEntropyLoss(), metrics=error_rate,
        cbs=[EpochLines(), EarlyStop()],
    )  # fmt: skip


def test_a_fit_that_learns_nothing_ends_after_half(capsys: pytest.CaptureFixture[str]) -> None:
    learn = a_learner()
    with learn.no_bar(), learn.no_logging():
        learn.fit(12, lr=0.0)
        learn.validate()  # runs the events of an epoch, and is none
    assert len(learn.epoch_lines.rows) == 7
    assert "epoch 7 is the last: the error has settled." in capsys.readouterr().out


def test_a_fit_that_learns_goes_on_to_its_end() -> None:
    learn = a_learner()
    with learn.no_bar(), learn.no_logging():
        learn.fit(12, lr=0.05)
    assert len(learn.epoch_lines.rows) == 12


def test_epochs_that_are_skipped_are_no_epochs() -> None:
    learn = a_learner()
    with learn.no_bar(), learn.no_logging():
        learn.fit(4, lr=0.05, start_epoch=2)
    assert len(learn.epoch_lines.rows) == 2
