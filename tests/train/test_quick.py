"""The head on features computed once: a learner like any other, in a fraction of the work."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from fastai.vision.all import Learner, load_learner

from kezako.export import fastai_pickle
from kezako.export.intervals import of_share
from kezako.export.plots import plot_gain
from kezako.recipe import Recipe
from kezako.train import quick
from kezako.train.dataset import Pictures
from kezako.train.fit import EpochLines, error_in, fitting_callbacks
from kezako.train.quick import STAGE, fit_head
from kezako.train.weights import Weights
from kezako.workspace import Workspace

Draw = Callable[..., tuple[Recipe, Workspace]]
Build = Callable[[Recipe, Pictures], Learner]


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "STEPS", 20)  # a head that is better than chance is enough here
    monkeypatch.setattr(quick, "ENOUGH", 60)


@pytest.fixture
def a_learner(some_faces: Draw, an_untrained_learner: Build) -> Learner:
    recipe, workspace = some_faces()
    learn = an_untrained_learner(recipe, Pictures(recipe, workspace))
    learn.add_cbs(fitting_callbacks(learn))
    return learn


def frozen_part(learn: Learner) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in learn.model[0][:STAGE].state_dict().items()}


@pytest.mark.slow
def test_it_is_an_ordinary_learner(
    a_learner: Learner, the_starter: Weights, tmp_path: Path
) -> None:
    body, steps = frozen_part(a_learner), list(a_learner.dls.train_ds.tls[0].tfms.fs)
    first = fit_head(a_learner, the_starter)
    assert first is not None
    assert first.error <= 0.5, "two of three would be chance"
    # What the features said, the whole model says of the pictures: nothing was left half done.
    with a_learner.no_bar(), a_learner.no_logging():
        loss, error = a_learner.validate()
    assert error == pytest.approx(first.error, abs=1.5 / len(a_learner.dls.valid_ds))
    assert loss == pytest.approx(first.loss, rel=0.1)
    assert all(torch.equal(body[name], value) for name, value in frozen_part(a_learner).items())
    assert list(a_learner.dls.train_ds.tls[0].tfms.fs) == steps
    photo = a_learner.dls.valid_ds.items[0]
    with fastai_pickle.learner(a_learner, a_learner.model, "resnet18") as learn, learn.no_bar():
        said = learn.predict(photo)
        learn.export(tmp_path / "export.pkl", pickle_module=fastai_pickle)
    with load_learner(tmp_path / "export.pkl").no_bar() as opened:
        again = opened.predict(photo)
    assert again[0] == said[0]
    assert torch.allclose(again[2], said[2], atol=1e-5)


@pytest.mark.slow
def test_everything_is_trained_from_there(a_learner: Learner, the_starter: Weights) -> None:
    first = fit_head(a_learner, the_starter)
    assert first is not None
    body = frozen_part(a_learner)
    with a_learner.no_bar(), a_learner.no_logging():
        a_learner.fine_tune(1, 2e-3, freeze_epochs=0)
    lines: EpochLines = a_learner.epoch_lines
    assert len(lines.rows) == len(lines.seconds) == 1
    assert error_in(lines.rows[0]) < 0.6, "it goes on from the head, not from nothing"
    after = frozen_part(a_learner)
    changed = {name for name, value in after.items() if not torch.equal(body[name], value)}
    assert len({name for name in changed if name.endswith("weight")}) > 10
    assert not {name for name in changed if "running" in name}, "the statistics stay"


@pytest.mark.slow
def test_from_random_weights_the_statistics_are_learnt(a_learner: Learner) -> None:
    assert fit_head(a_learner, Weights("random", "")) is None
    before = frozen_part(a_learner)
    with a_learner.no_bar(), a_learner.no_logging():
        a_learner.fit_one_cycle(1, 2e-3)
    changed = {name for name, value in frozen_part(a_learner).items()
               if "running" in name and not torch.equal(before[name], value)}  # fmt: skip
    assert len(changed) > 10


@pytest.mark.slow
def test_it_says_what_the_memory_does_not_hold(
    a_learner: Learner,
    the_starter: Weights,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = a_learner.dls.train_ds.items
    views = max(1, quick.ENOUGH // len(paths))
    side = a_learner.dls.one_batch()[0].shape[-1] // 16
    room = len(paths) // 2 * views * 256 * side**2 * 2  # half of the maps, a quarter in float32
    monkeypatch.setattr(quick, "room_here", lambda: room)
    assert fit_head(a_learner, the_starter) is not None
    said = re.search(r"training the head on (\d+) of (\d+) pictures", capsys.readouterr().out)
    assert said
    assert 8 <= int(said[1]) < int(said[2]) == len(paths)


def test_random_weights_have_no_features_to_go_by(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert fit_head(None, Weights("random", "")) is None  # type: ignore[arg-type]
    assert "everything has to be trained" in capsys.readouterr().out


@pytest.mark.slow
def test_a_picture_may_show_several_labels(
    a_gathered_recipe: Draw, an_untrained_learner: Build, the_starter: Weights
) -> None:
    recipe, workspace = a_gathered_recipe("multi")
    pictures = Pictures(recipe, workspace)
    learn = an_untrained_learner(recipe, pictures)
    learn.add_cbs(fitting_callbacks(learn))
    first = fit_head(learn, the_starter)
    assert first is not None
    assert 0 <= first.error < 0.5
    said = str(plot_gain(first, learn).data)
    low, high = of_share(first.error * len(pictures.valid), len(pictures.valid))
    assert f"errs on {100 * first.error:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)." in said
    assert "a label being named from 50 % on" in said
    plt.close("all")
