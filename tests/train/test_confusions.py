"""What a learner got wrong, each beside the training picture of what it was taken for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fastai.vision.all import Interpretation, Learner

from kezako.clean.confusions import find_mistakes, show_confusions
from kezako.dataset.manifest import Manifest
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.workspace import Workspace


@pytest.mark.slow
@pytest.mark.parametrize("task", ["single", "multi"])
def test_mistakes_stand_beside_what_they_were_taken_for(
    task: str,
    a_gathered_recipe: Callable[..., tuple[Recipe, Workspace]],
    an_untrained_learner: Callable[[Recipe, Pictures], Learner],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEZAKO_WEIGHTS", "starter")  # no test reaches for a network
    recipe, workspace = a_gathered_recipe(task)
    pictures = Pictures(recipe, workspace)
    interpretation = Interpretation.from_learner(an_untrained_learner(recipe, pictures))
    mistakes = find_mistakes(interpretation, recipe)
    assert mistakes, "it has learnt nothing"
    assert [m.loss for m in mistakes] == sorted((m.loss for m in mistakes), reverse=True)
    assert all(m.path in pictures.valid and m.shown != m.said for m in mistakes)
    assert all(m.path.parent.name == m.shown for m in mistakes)
    figure = show_confusions(interpretation, recipe, workspace)
    assert figure is not None
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    wrong, beside = titles[::2], titles[1::2]
    learnt = learnt_folders(workspace, recipe)
    for taken, like in zip(wrong, beside, strict=True):
        said = taken.splitlines()[0].split(", said ")[1]
        if said in learnt:
            assert like.startswith(f"training: {said}\n{said}/")
        else:
            assert like == f"no training picture\nshows {said}"
    figure.canvas.draw()


def learnt_folders(workspace: Workspace, recipe: Recipe) -> set[str]:
    with Manifest(workspace.folder(recipe.name)) as manifest:
        return {row.folder for row in manifest.rows(split="train")}


@pytest.mark.slow
def test_losses_are_fastais(
    a_gathered_recipe: Callable[..., tuple[Recipe, Workspace]],
    an_untrained_learner: Callable[[Recipe, Pictures], Learner],
) -> None:
    recipe, workspace = a_gathered_recipe()
    pictures = Pictures(recipe, workspace)
    interpretation = Interpretation.from_learner(an_untrained_learner(recipe, pictures))
    theirs: dict[Path, float] = dict(
        zip(interpretation.dl.items, interpretation.losses.tolist(), strict=True)
    )
    mistakes = find_mistakes(interpretation, recipe)
    assert [m.loss for m in mistakes] == pytest.approx([theirs[m.path] for m in mistakes], rel=1e-3)
    assert np.all([m.probability >= 1 / len(recipe.labels) for m in mistakes])
