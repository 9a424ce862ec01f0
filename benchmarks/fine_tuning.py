"""The training notebook's fine-tuning, for benchmarks that train many models."""

from __future__ import annotations

from typing import Any

from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.workspace import Workspace


def fine_tuned(recipe: Recipe, workspace: Workspace, seed: int) -> tuple[Any, Pictures]:
    """A learner trained on the current pictures, and those pictures."""
    import kezako.train  # noqa: F401 - makes torchvision import
    from kezako.train.weights import find_weights

    pictures = Pictures(recipe, workspace)
    weights = find_weights(recipe.backbone, workspace.models)
    learn, _ = trained(recipe, pictures, weights, seed)
    return learn, pictures


def trained(recipe: Recipe, pictures: Pictures, weights: Any, seed: int) -> tuple[Any, Any]:
    """A learner trained on `pictures`, and the result of `fit_head`."""
    from fastai.vision import all as fastai

    from kezako.train.fit import fitting_callbacks
    from kezako.train.quick import fit_head
    from kezako.train.weights import make_backbone

    fastai.set_seed(seed)
    crop = fastai.RandomResizedCrop(recipe.image_size, min_scale=recipe.min_scale)
    squish = fastai.Resize(recipe.image_size, fastai.ResizeMethod.Squish)
    kind = fastai.PILImage if recipe.colour else fastai.PILImageBW
    block = fastai.DataBlock(
        blocks=(fastai.ImageBlock(kind), fastai.CategoryBlock(vocab=recipe.labels)),
        get_y=fastai.parent_label,
        splitter=fastai.FuncSplitter(pictures.is_valid),
        item_tfms=crop if recipe.resize == "random-crop" else squish,
        batch_tfms=[
            *(fastai.aug_transforms(mult=recipe.mult) if recipe.augment else []),
            fastai.Normalize.from_stats(*fastai.imagenet_stats),
        ],
    )
    dls = block.dataloaders(pictures.paths, bs=pictures.batch_size, num_workers=0)
    backbone = make_backbone(recipe.backbone, weights)
    learn = fastai.vision_learner(
        dls, backbone, pretrained=weights.pretrained, metrics=fastai.error_rate
    )
    learn.add_cbs(fitting_callbacks(learn))
    rate = 2e-3 if recipe.learning_rate == "find" else recipe.learning_rate
    learn.remove_cb(fastai.ProgressCallback)  # the callbacks above print one line per epoch
    head = fit_head(learn, weights)
    if head is None or recipe.fit == "full":
        with learn.no_logging():
            if head is None:
                learn.fit_one_cycle(recipe.epochs + 1, rate)
            else:
                learn.fine_tune(recipe.epochs, rate, freeze_epochs=0)
    return learn, head
