"""An import sees pictures as the learner did: probabilities as those of stock `predict`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastai.vision.all import (
    CategoryBlock,
    CropPad,
    DihedralItem,
    FlipItem,
    ImageBlock,
    IntToFloatTensor,
    Learner,
    MultiCategoryBlock,
    Normalize,
    PILImageBW,
    RandomCrop,
    RandomErasing,
    RandomResizedCrop,
    RandomResizedCropGPU,
    Resize,
    ResizeMethod,
    aug_transforms,
    imagenet_stats,
    vision_learner,
)
from torchvision.models import squeezenet1_1

from tests.importer.answers import ours, theirs
from tests.importer.test_reading import network

NORMAL = Normalize.from_stats(*imagenet_stats)
KINDS: dict[str, dict[str, Any]] = {
    "vision_learner": {"arch": squeezenet1_1, "make": vision_learner},
    "crop": {"items": Resize(64)},
    "squish": {"items": Resize(64, ResizeMethod.Squish)},
    "pad": {"items": Resize(64, ResizeMethod.Pad, pad_mode="reflection")},
    "random-crop": {"items": RandomResizedCrop(64, min_scale=0.3)},
    "padded with black": {"items": Resize(64, ResizeMethod.Pad, pad_mode="zeros")},
    "padded with its edge": {"items": Resize(64, ResizeMethod.Pad, pad_mode="border")},
    "cut from the middle": {"items": CropPad(64)},
    "cut from the middle, edged": {"items": CropPad(100, pad_mode="border")},
    "cut from the middle, mirrored": {"items": CropPad(100, pad_mode="reflection")},
    "cut at random": {"items": RandomCrop(64)},
    "resized, then cut": {"items": [Resize(96), RandomCrop(64)]},
    "cut, then resized": {"items": [Resize(64), CropPad(48)]},  # fastai cuts first
    "bent, then cut": {"items": [Resize(80, ResizeMethod.Squish), RandomCrop(90)]},
    "resized twice": {"items": [Resize(96), RandomResizedCrop(64)]},
    "cut in training only": {"items": [Resize(64), CropPad(48, split_idx=0)]},
    "not normalised": {"batch": [IntToFloatTensor()]},
    "turned copies": {"batch": [*aug_transforms(mult=2), NORMAL]},
    "made smaller": {"items": Resize(96), "batch": [*aug_transforms(size=64), NORMAL]},
    "made much smaller": {"items": Resize(160), "batch": [*aug_transforms(size=48), NORMAL]},
    "cut, as in the book": {
        "items": Resize(96), "batch": [*aug_transforms(size=64, min_scale=0.75), NORMAL]},
    "cut on the way": {
        "items": Resize(90), "batch": [RandomResizedCropGPU(48, valid_scale=0.8), NORMAL]},
    "training only": {
        "items": [Resize(64), FlipItem(), DihedralItem()], "batch": [RandomErasing(), NORMAL]},
    "multi": {
        "blocks": (ImageBlock, MultiCategoryBlock), "get_y": lambda path: [path.parent.name]},
    "grey, repeated": {"blocks": (ImageBlock(PILImageBW), CategoryBlock)},
    "grey, one channel": {
        "blocks": (ImageBlock(PILImageBW), CategoryBlock), "batch": [IntToFloatTensor()],
        "arch": squeezenet1_1, "make": vision_learner, "n_in": 1},
    "no concat": {"arch": squeezenet1_1, "make": vision_learner, "concat_pool": False},
    "another head": {
        "arch": squeezenet1_1, "make": vision_learner,
        "lin_ftrs": [32, 16], "ps": 0.2, "bn_final": True},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_sees_what_the_learner_saw(
    kind: str, a_stock_learner: Callable[..., Any], exported: Callable[..., Path], some_faces: Path
) -> None:
    small = {"arch": network(), "make": Learner}
    export = exported(a_stock_learner(**{**small, **KINDS[kind]}))
    photos = sorted(some_faces.glob("*/*.png"))[:8]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = theirs(export, photos)
    assert np.abs(ours(export, photos) - said).max() < 1e-3
    assert said.std(axis=0).max() > 1e-6  # they do differ from picture to picture
