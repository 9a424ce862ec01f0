"""A first model quickly: train the head and the body's last stage on cached feature maps.

The layers below the last stage stay frozen, so their output for a picture never changes. It is
computed once per picture (if there are few pictures, also for a few augmented views of each) and
cached. Only the layers after it are trained, which is a tenth of the work.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from fastai.callback.core import Callback, CancelValidException
from fastai.callback.progress import ProgressCallback
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.optimizer import OptimWrapper
from fastai.torch_core import params
from torch import nn
from tqdm.auto import tqdm

from kezako.train.cache import room_here
from kezako.train.distributed import all_reduce_min, all_reduce_sum, processes, share
from kezako.train.fit import FrozenStatistics, error_in, half_callbacks, half_type
from kezako.train.weights import Weights

STAGE = -1  # index into the body where the trained part begins: a resnet's last stage
ENOUGH = 150  # with so many pictures, one view of each is enough
VIEWS = 4  # views of a picture, at most
EPOCHS, STEPS = 2, 60  # the minimum of both; more do not lower the error
# Learning rate of the head; that of the pretrained last stage is divided by SLOWER.
RATE, SLOWER = 3e-3, 3
# Batch size: at most and at least; between these as TIMES says.
BATCH, SMALL = 32, 16
TIMES = 4  # passes over the data in STEPS steps; this halves the time for small datasets
# Like fastai's Adam, but fused; biases and BatchNorm have weight decay, too.
ADAM = partial(torch.optim.AdamW, betas=(0.9, 0.99), eps=1e-5, weight_decay=0.01, fused=True)

Pairs = tuple[torch.Tensor, torch.Tensor]  # maps (N, K, h, w) and their targets


@dataclass(frozen=True)
class HeadFit:
    """Result of `fit_head`: how good the learner is before a full fit."""

    error: float  # on the validation pictures, 0 to 1
    loss: float
    seconds: float

    def __str__(self) -> str:
        share = f"{100 * self.error:.1f} %"
        return f"The last layers alone: {share} wrong after {self.seconds:.0f} s."


def fit_head(learn: Learner, weights: Weights) -> HeadFit | None:
    """Train the last layers of a `vision_learner`; the learner stays an ordinary one.

    It needs the learner's `fitting_callbacks`. If the weights are random, it prints a sentence and
    returns None: features of an untrained body are useless. If a `Checkpoint` resumes a killed
    training, the saved result is returned. A fit that continues from here keeps the BatchNorm
    statistics that the features were computed with.
    """
    if not weights.pretrained:
        print("There are no trained weights to begin with, so everything has to be trained.")
        return None
    learn.add_cb(FrozenStatistics(STAGE))
    checkpoint = getattr(learn, "checkpoint", None)
    if checkpoint is None or checkpoint.head is None:
        try:
            found = _fit(learn)
        finally:  # restore the learner, even after an interrupt
            learn.model.to(memory_format=torch.contiguous_format)
            learn.freeze()
        print(found, flush=True)
        if checkpoint is not None:
            checkpoint.head = asdict(found)
        return found
    return HeadFit(**checkpoint.head)


def _fit(learn: Learner) -> HeadFit:
    start = time.perf_counter()
    learn.model.to(learn.dls.device)
    body, head = learn.model[0], learn.model[1]
    trained = nn.Sequential(body[STAGE:], head)
    half = half_type(learn)
    with learn.pictures_in_memory.used(learn.dls):
        train, valid = _maps(learn, body[:STAGE], half)
    learn.model.to(memory_format=torch.contiguous_format)
    few = max(SMALL, TIMES * len(train[0]) // STEPS)
    batch = min(BATCH, few, learn.dls.train.bs * processes(), len(train[0]))
    small = Learner(
        DataLoaders(
            Maps(*train, bs=batch, shuffle=True, drop_last=True), Maps(*valid, bs=BATCH),
            device=learn.dls.device,
        ),
        trained, loss_func=learn.loss_func, metrics=learn.metrics,
        splitter=lambda model: [params(model[0]), params(model[1])],
        opt_func=partial(OptimWrapper, opt=ADAM), cbs=[*half_callbacks(half), _JudgedOnce()],
    )  # fmt: skip
    small.unfreeze()
    small.remove_cb(ProgressCallback)
    epochs = max(EPOCHS, round(STEPS * batch / len(train[0])))
    with small.no_logging():
        small.fit_one_cycle(epochs, slice(RATE / SLOWER, RATE), pct_start=0.3, div=5)
    names, values = small.recorder.metric_names[1:], small.recorder.values[-1]
    row = dict(zip(names, values, strict=False))
    return HeadFit(float(error_in(row)), float(row["valid_loss"]), time.perf_counter() - start)


class _JudgedOnce(Callback):
    """Validates in the last epoch only."""

    def before_validate(self) -> None:
        if self.learn.epoch + 1 < self.learn.n_epoch:
            raise CancelValidException


def _maps(learn: Learner, frozen: nn.Module, half: torch.dtype | None) -> tuple[Pairs, Pairs]:
    """Feature maps of the training pictures, with all views, and of the validation pictures."""
    paths = list(learn.dls.train_ds.items)
    views = min(VIEWS, max(1, ENOUGH // len(paths)))
    plain = learn.dls.test_dl(paths, with_labels=True, num_workers=0)
    compute = _Compute(learn, frozen, half)
    with tqdm(total=len(paths) * views + len(learn.dls.valid_ds), desc="features",
              unit="picture", leave=False) as bar:  # fmt: skip
        valid = compute(learn.dls.valid, 1, bar)
        found = [compute(plain, views, bar)]
        found += [compute(learn.dls.train, views, bar) for _ in range(views - 1)]
    maps, targets = zip(*found, strict=True)
    if (kept := len(maps[0])) < len(paths):
        print(
            "Not enough memory to cache all features: training the head on "
            f"{kept} of {len(paths)} pictures; only a full fit learns from all of them.",
            flush=True,
        )
    return (torch.cat(maps), torch.cat(targets)), valid


class _Compute:
    """Runs pictures through the frozen layers, in the precision that is fastest here."""

    def __init__(self, learn: Learner, frozen: nn.Module, half: torch.dtype | None):
        self.device, self.half = learn.dls.device, half
        self.frozen = frozen.eval().to(memory_format=torch.channels_last)

    def __call__(self, loader: Any, views: int, bar: Any) -> Pairs:
        """Maps (N, K, h, w) and targets of a loader's pictures, as many as fit into memory."""
        count = len(loader.dataset)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(0)).tolist()
        probe, first = self._run(next(iter(self._loader(loader, order[:1]))))
        room = room_here() // (views * probe.element_size() * probe[0].numel())
        chosen = order[: all_reduce_min(max(1, min(count, room)))]
        mine = share(len(chosen))
        maps = torch.zeros((len(chosen), *probe.shape[1:]), dtype=probe.dtype, device=self.device)
        found: list[torch.Tensor] = []
        at = 0
        for batch in self._loader(loader, [chosen[place] for place in mine]):
            some, target = self._run(batch)
            maps[mine[at : at + len(some)]] = some
            found.append(target)
            at += len(some)
            bar.update(len(some))
        targets = torch.zeros((len(chosen), *first.shape[1:]), dtype=first.dtype).to(self.device)
        if mine:
            targets[mine] = torch.cat(found)
        return all_reduce_sum(maps), all_reduce_sum(targets)

    @staticmethod
    def _loader(loader: Any, order: list[int]) -> Any:
        return loader.new(shuffle=False, drop_last=False, get_idxs=lambda: order)

    def _run(self, batch: Any) -> Pairs:
        pictures, targets = (part.as_subclass(torch.Tensor) for part in batch)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        precision = torch.autocast(self.device.type, dtype=self.half, enabled=self.half is not None)
        with torch.no_grad(), precision:
            return self.frozen(pictures), targets


class Maps(DataLoader):
    """Batches of cached feature maps (N, K, h, w) and their targets."""

    def __init__(self, maps: torch.Tensor, targets: torch.Tensor, **settings: Any):
        self.maps, self.targets = maps, targets
        super().__init__(range(len(maps)), **settings)

    def create_batches(self, samples: Iterator[int]) -> Iterator[tuple[torch.Tensor, ...]]:
        for batch in self.chunkify(samples):
            yield self.maps[batch].float(), self.targets[batch]
