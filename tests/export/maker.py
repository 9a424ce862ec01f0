"""Run by another Python with an older fastai: trains a few learners for a moment, and exports them.

    python maker.py PICTURES OUT

Beside each OUT/KIND.pkl it writes OUT/KIND.json: the labels, and what `learn.predict` of that very
fastai says of the pictures. It imports nothing of this project, and is as old in its words as the
oldest Python that runs it.
"""

import json
import sys
import warnings
from functools import partial
from pathlib import Path

import cloudpickle
import fastai
import fastai.vision.all as fa
import numpy as np
import pandas as pd
import torch

PICTURES, OUT = Path(sys.argv[1]), Path(sys.argv[2])
SAID = sorted(PICTURES.glob("*/*.png"))[::3]
TABLE = pd.DataFrame(
    [
        {"fname": str(path.relative_to(PICTURES)), "label": path.parent.name,
         "labels": path.parent.name + (" round" if number % 2 else "")}
        for number, path in enumerate(sorted(PICTURES.glob("*/*.png")))
    ]
)  # fmt: skip
learner_of = fa.vision_learner if hasattr(fa, "vision_learner") else fa.cnn_learner


def is_happy(path):
    return Path(path).parent.name == "happy"


def label_by_table(path):
    """A label function with a DataFrame of the notebook's in it."""
    return TABLE[TABLE.fname == str(Path(path).relative_to(PICTURES))].label.iloc[0]


def path_of_row(row):
    return PICTURES / row["fname"]


def label_of_row(row):
    return row["label"]


def loaders(items=None, batch=None, blocks=None, get_y=fa.parent_label, source=None, **settings):
    block = fa.DataBlock(
        blocks=blocks or (fa.ImageBlock, fa.CategoryBlock),
        get_items=None if source is not None else fa.get_image_files,
        get_y=get_y,
        splitter=fa.RandomSplitter(0.3, seed=1),
        item_tfms=fa.Resize(64) if items is None else items,
        batch_tfms=fa.aug_transforms() if batch is None else batch,
        **settings
    )  # fmt: skip
    return block.dataloaders(PICTURES if source is None else source, bs=8, num_workers=0)


def stock(dls, arch=fa.models.squeezenet1_1, **settings):
    return learner_of(dls, arch, pretrained=False, metrics=fa.error_rate, **settings)


def saving():
    return [
        fa.SaveModelCallback(monitor="error_rate", comp=np.less),
        fa.EarlyStoppingCallback(monitor="valid_loss", patience=3),
    ]


def course():
    """As the first chapters of the course do it."""
    dls = fa.ImageDataLoaders.from_path_func(
        PICTURES, fa.get_image_files(PICTURES), is_happy, valid_pct=0.3, seed=1,
        item_tfms=fa.Resize(64), bs=8, num_workers=0)  # fmt: skip
    return stock(dls, fa.resnet34)


def from_table():
    dls = fa.ImageDataLoaders.from_df(
        TABLE, PICTURES, fn_col="fname", label_col="label", valid_pct=0.3, seed=1,
        item_tfms=fa.Resize(64, method="squish"), bs=8, num_workers=0)  # fmt: skip
    return stock(dls, fa.resnet18, cbs=saving())


def several_labels():
    dls = fa.ImageDataLoaders.from_df(
        TABLE, PICTURES, fn_col="fname", label_col="labels", label_delim=" ", valid_pct=0.3,
        seed=1, item_tfms=fa.Resize(64), bs=8, num_workers=0)  # fmt: skip
    return learner_of(
        dls, fa.resnet18, pretrained=False, metrics=partial(fa.accuracy_multi, thresh=0.3),
        loss_func=fa.BCEWithLogitsLossFlat(thresh=0.3))  # fmt: skip


def rows():
    dls = loaders(get_x=path_of_row, get_y=label_of_row, source=TABLE)
    return stock(dls, cbs=saving())


def presized():
    """The whole batch made smaller, as the book does."""
    normal = fa.Normalize.from_stats(*fa.imagenet_stats)
    batch = [*fa.aug_transforms(size=64, min_scale=0.75), normal]
    return stock(loaders(items=fa.Resize(96), batch=batch))


def whole_xresnet():
    return fa.Learner(loaders(), fa.xresnet18(n_out=2), metrics=fa.error_rate, cbs=saving())


def grey():
    batch = [fa.Normalize.from_stats(*fa.imagenet_stats)]  # makes three channels of one
    return stock(loaders(blocks=(fa.ImageBlock(fa.PILImageBW), fa.CategoryBlock), batch=batch))


def focal():
    loss = fa.FocalLossFlat if hasattr(fa, "FocalLossFlat") else fa.CrossEntropyLossFlat
    return stock(loaders(), loss_func=loss())


KINDS = {
    "course": course,
    "table": from_table,
    "label by table": lambda: stock(loaders(get_y=label_by_table)),
    "several labels": several_labels,
    "rows": rows,
    "presized": presized,
    "xresnet body": lambda: stock(loaders(), fa.xresnet18),
    "xresnet": whole_xresnet,
    "grey": grey,
    "focal": focal,
    "labels smoothed": lambda: stock(
        loaders(), loss_func=fa.LabelSmoothingCrossEntropyFlat()
        if hasattr(fa, "LabelSmoothingCrossEntropyFlat") else fa.LabelSmoothingCrossEntropy()),
    "random-resized": lambda: stock(loaders(items=fa.RandomResizedCrop(64, min_scale=0.5))),
    "padded": lambda: stock(loaders(items=fa.Resize(64, method="pad"))),
    "padded with black": lambda: stock(
        loaders(items=fa.Resize(64, method="pad", pad_mode="zeros"))),
    "cut at random": lambda: stock(loaders(items=[fa.Resize(80), fa.RandomCrop(64)])),
    "cut from the middle": lambda: stock(loaders(items=[fa.CropPad(64)], batch=[])),
}  # fmt: skip


def kinds():
    """KINDS, and where timm is installed and this fastai takes it, networks of timm's."""
    try:
        import timm  # noqa: F401
    except ImportError:
        return KINDS
    named = {
        "timm " + name: lambda name=name: stock(loaders(), name)
        for name in ("resnet18", "resnet26d", "resnet50", "convnext_atto", "convnextv2_atto")
    }
    return dict(KINDS, **named)


def export(learner, name, by_value):
    """Export as the fastai at hand does; by value where it is asked for, or where Python's own
    pickle cannot (some of fastai's losses are too much for it)."""
    if not by_value:
        try:
            return learner.export(name)
        except TypeError:
            pass
    return learner.export(name, pickle_module=cloudpickle)


def main():
    torch.set_num_threads(2)
    warnings.simplefilter("ignore")
    for kind, make in kinds().items():
        fa.set_seed(1)
        learner = make()
        learner.path = OUT
        with learner.no_bar(), learner.no_logging():
            learner.fit(1, 1e-3)
            said = [learner.predict(path)[2].tolist() for path in SAID]
        export(learner, kind + ".pkl", by_value=kind == "label by table")
        told = {
            "labels": [str(label) for label in learner.dls.vocab],
            "said": {str(path.relative_to(PICTURES)): said[i] for i, path in enumerate(SAID)},
            "fastai": fastai.__version__,
            "torch": torch.__version__,
        }
        (OUT / (kind + ".json")).write_text(json.dumps(told))
        print(kind, flush=True)


main()
