"""Exports as stock fastai writes them, of learners that were never trained."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import kezako.train  # noqa: F401  (before torchvision)
from kezako.gather.sample import draw_face

from fastai.vision.all import (  # isort: skip
    CategoryBlock, DataBlock, ImageBlock, Learner, Normalize, RandomSplitter, Resize,
    get_image_files, imagenet_stats, set_seed, vision_learner,
)  # fmt: skip
from torchvision.models import squeezenet1_1  # isort: skip

SIZE = 64
SHAPES = [(90, 60), (60, 90), (64, 64), (127, 65), (300, 200), (40, 30)]


def label_of(path: Path) -> str:
    return path.parent.name


label_of.__module__ = "__main__"  # as in a notebook: it travels as its code


@pytest.fixture(scope="session")
def some_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 12 drawn pictures of odd shapes in each of two sub-folders."""
    folder = tmp_path_factory.mktemp("faces")
    for mood in ("happy", "sad"):
        (folder / mood).mkdir()
        for number in range(12):
            face = draw_face(mood, number).resize(SHAPES[number % len(SHAPES)])
            face.save(folder / mood / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def a_stock_learner(some_faces: Path) -> Callable[..., Learner]:
    """Builds what a course exercise builds; weights are random, which parity does not mind."""

    def build(
        items: Any = None, batch: Any = None, blocks: Any = None, get_y: Any = label_of,
        arch: Any = squeezenet1_1, make: Any = vision_learner, **settings: Any,
    ) -> Learner:  # fmt: skip
        set_seed(1)
        block = DataBlock(
            blocks or (ImageBlock, CategoryBlock),
            get_items=get_image_files,
            get_y=get_y,
            splitter=RandomSplitter(0.5, seed=1),
            item_tfms=Resize(SIZE) if items is None else items,
            batch_tfms=Normalize.from_stats(*imagenet_stats) if batch is None else batch,
        )
        loaders = block.dataloaders(some_faces, bs=4, num_workers=0)
        if make is vision_learner:
            settings = {"pretrained": False, "normalize": False, **settings}
        learner = make(loaders, arch, **settings)
        _unsettle(learner.model)
        return learner

    return build


def _unsettle(model: torch.nn.Module) -> None:
    """Normalisations of a new network change nothing; give them something to do."""
    for layer in model.modules():
        if getattr(layer, "running_mean", None) is not None:
            layer.running_mean.uniform_(-0.2, 0.2)
            layer.running_var.uniform_(0.5, 1.5)


@pytest.fixture
def exported(tmp_path: Path) -> Callable[..., Path]:
    """The export of a learner, by fastai's own `export`."""

    def export(learner: Learner, **settings: Any) -> Path:
        learner.path = tmp_path
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            learner.export("export.pkl", **settings)
        return tmp_path / "export.pkl"

    return export
