"""The training notebook's fine-tuning, for the benchmarks that train many models."""

from __future__ import annotations

from typing import Any

from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.workspace import Workspace


def fine_tuned(recipe: Recipe, workspace: Workspace, seed: int) -> tuple[Any, Pictures]:
    """A learner trained on the pictures as they lie now, and those pictures."""
    from fastai.vision import all as fastai

    import kezako.train  # noqa: F401 - makes torchvision import
    from kezako.train.fit import fitting_callbacks
    from kezako.train.weights import find_weights, make_backbone

    fastai.set_seed(seed)
    pictures = Pictures(recipe, workspace)
    crop = fastai.RandomResizedCrop(recipe.image_size, min_scale=recipe.min_scale)
    squish = fastai.Resize(recipe.image_size, fastai.ResizeMethod.Squish)
    block = fastai.DataBlock(
        blocks=(fastai.ImageBlock, fastai.CategoryBlock(vocab=recipe.labels)),
        get_y=fastai.parent_label,
        splitter=fastai.FuncSplitter(pictures.is_valid),
        item_tfms=crop if recipe.resize == "random-crop" else squish,
        batch_tfms=[
            *(fastai.aug_transforms(mult=recipe.mult) if recipe.augment else []),
            fastai.Normalize.from_stats(*fastai.imagenet_stats),
        ],
    )
    dls = block.dataloaders(pictures.paths, bs=pictures.batch_size, num_workers=0)
    weights = find_weights(recipe.backbone, workspace.models)
    backbone = make_backbone(recipe.backbone, weights)
    learn = fastai.vision_learner(
        dls, backbone, pretrained=weights.pretrained, metrics=fastai.error_rate
    )
    learn.add_cbs(fitting_callbacks(learn))
    rate = 2e-3 if recipe.learning_rate == "find" else recipe.learning_rate
    learn.remove_cb(fastai.ProgressCallback)  # the callbacks above print a line an epoch
    with learn.no_logging():
        learn.fine_tune(recipe.epochs, rate)
    return learn, pictures
