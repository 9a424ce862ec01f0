"""Two fits by as many processes as torchrun starts; each writes what it ended with.

torchrun --standalone --nproc-per-node 2 -m tests.train.shared_fit FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import kezako.train  # noqa: F401  (before torchvision)

import torch  # isort: skip
from fastai.vision.all import DataLoaders, Learner, TfmdDL, error_rate, rank_distrib, set_seed
from torch import nn

from kezako.train.distributed import distributed_fit, processes, wait
from kezako.train.fit import EpochLines
from kezako.train.quick import STAGE, _maps, fit_head
from kezako.train.weights import find_weights
from tests.train.killed import MODELS, a_learner

PAIRS = [(torch.tensor([n / 16.0, (n % 3) / 3.0]), n % 2) for n in range(16)]


def a_small_fit() -> dict[str, Any]:
    """Five steps over all pairs at once: whoever shares them out must end at the same weights."""
    set_seed(0)
    bs = len(PAIRS) // processes()
    learn = Learner(
        DataLoaders(
            TfmdDL(PAIRS, bs=bs, shuffle=True, num_workers=0), TfmdDL(PAIRS, bs=bs, num_workers=0)
        ),
        nn.Linear(2, 2), loss_func=nn.CrossEntropyLoss(), metrics=error_rate, cbs=EpochLines(),
    )  # fmt: skip
    with distributed_fit(learn), learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(5, 0.1)
    return {"weights": learn.model.state_dict(), "rows": learn.epoch_lines.rows}


def a_large_fit(folder: Path) -> dict[str, Any]:
    """What the training notebook does, on drawn faces."""
    learn = a_learner(folder, checkpoint=False)
    body, count = learn.model[0], len(learn.dls.train_ds)
    (train, targets), (valid, _) = _maps(learn, body[:STAGE], None)
    assert fit_head(learn, find_weights("resnet18", MODELS)) is not None
    with distributed_fit(learn), learn.no_bar(), learn.no_logging():
        learn.fine_tune(1, 2e-3, freeze_epochs=0)
    return {
        "weights": learn.model.state_dict(), "rows": learn.epoch_lines.rows,
        "maps": [train[:count], targets[:count], valid],  # of the plain view, which is no chance
    }  # fmt: skip


if __name__ == "__main__":
    wait()
    found = {"small": a_small_fit(), "large": a_large_fit(Path(sys.argv[1]))}
    torch.save(found, Path(sys.argv[1]) / f"process-{rank_distrib()}.pt")
    wait()
