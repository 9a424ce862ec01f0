"""Trains in a subprocess, which a test kills: python -m tests.train.killed FOLDER."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import kezako.train  # noqa: F401  (before torchvision)

from fastai.vision.all import (  # isort: skip
    CategoryBlock, DataBlock, FuncSplitter, ImageBlock, Learner, Normalize, Resize, error_rate,
    imagenet_stats, parent_label, set_seed, vision_learner,
)  # fmt: skip

from kezako.train.cache import PicturesInMemory
from kezako.train.checkpoint import Checkpoint
from kezako.train.dataset import Pictures
from kezako.train.distributed import processes
from kezako.train.fit import EpochLines
from kezako.train.weights import find_weights, make_backbone
from kezako.workspace import Workspace

MODELS = Path(__file__).parents[2] / "models"
EPOCHS = 5


def a_fit(folder: Path, checkpoint: bool = True) -> Learner:
    """Train the faces in `folder` for five epochs, going on from a checkpoint if there is one."""
    learn = a_learner(folder, checkpoint)
    with learn.no_bar(), learn.no_logging():
        learn.fine_tune(EPOCHS, 2e-3, freeze_epochs=0)
    return learn


def a_learner(folder: Path, checkpoint: bool) -> Learner:
    """The same one in every process, with nothing in it that is measured."""
    workspace = Workspace(folder)
    recipe = replace(workspace.recipe("smileys"), image_size=64, epochs=EPOCHS)
    pictures = Pictures(recipe, workspace)
    weights = find_weights("resnet18", MODELS)
    set_seed(1)
    block = DataBlock(
        (ImageBlock, CategoryBlock(vocab=recipe.labels)), get_y=parent_label,
        splitter=FuncSplitter(pictures.is_valid), item_tfms=Resize(64),  # crops at random
        batch_tfms=Normalize.from_stats(*imagenet_stats),
    )  # fmt: skip
    loaders = block.dataloaders(pictures.paths, bs=8 // processes(), num_workers=0)
    learn = vision_learner(loaders, make_backbone("resnet18", weights), metrics=error_rate)
    learn.add_cbs([PicturesInMemory(), EpochLines()])
    if checkpoint:
        learn.add_cb(Checkpoint(recipe, pictures, weights))
    return learn


if __name__ == "__main__":
    a_fit(Path(sys.argv[1]))
