"""What an imported network says of a picture, by the page's own eyes and without ONNX's detour."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from fastai.vision.all import Learner, load_learner

from kezako.importer import backbone
from kezako.importer.container import open_export
from kezako.importer.convert import Order, network
from kezako.importer.learner import Learnt
from kezako.model.bundle import Preprocessing
from kezako.model.classifier import prepare
from kezako.model.decision import probabilities


def read(export: Path, **wishes: object) -> Learnt:
    """What the import reads from an export."""
    order = Order(str(export), "", **wishes)  # type: ignore[arg-type]
    return network(open_export(export), order)[0]


def ours(export: Path, photos: list[Path], **wishes: object) -> np.ndarray:
    """Probabilities (N, C) of the imported network, pictures seen as the page sees them."""
    order = Order(str(export), "", **wishes)  # type: ignore[arg-type]
    learnt, model = network(open_export(export), order)
    seen = learnt.seen
    how = Preprocessing(
        seen.size,
        seen.resize,
        cast(Literal["RGB", "L"], seen.mode),
        cast(tuple[float, float, float], seen.mean),
        cast(tuple[float, float, float], seen.std),
        seen.before,
    )
    whole = backbone.prepared(model, seen.size, seen.shrinks)
    pictures = torch.from_numpy(np.stack([prepare(photo, how) for photo in photos]))
    with torch.no_grad():
        logits = whole(pictures).double().numpy()  # (N, C)
    return probabilities(logits, learnt.task == "multi")


def theirs(export: Path, photos: list[Path]) -> np.ndarray:
    """Probabilities (N, C) by stock fastai: `load_learner` and `predict`."""
    learner: Learner = load_learner(export)
    with learner.no_bar():
        return np.stack([learner.predict(photo)[2].numpy() for photo in photos])


__all__ = ["ours", "read", "theirs"]
