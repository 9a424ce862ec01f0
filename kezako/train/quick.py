"""A first model, soon: the head, and the body's last stage, on what the rest computes once.

The layers below the last stage stay frozen, so what they make of a picture never changes. It is
computed once for each picture (and, where pictures are few, for a few crops and turns of each)
and kept; all that is trained is what comes after, which is a tenth of the work.
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

STAGE = -1  # where the trained part of the body begins: with the last stage of a resnet
ENOUGH = 150  # pictures from which one plain view of each does
VIEWS = 4  # of each picture at most
EPOCHS, STEPS = 2, 60  # at least so many of both; more do not lower the error
RATE, SLOWER = 3e-3, 3  # of the head; the last stage, which knows something already, is slower
BATCH, SMALL = 32, 16  # maps of a step, at most and at least; between these as many as it takes
TIMES = 4  # to go over all of them so often in STEPS: a small set then takes half the time
# As fastai's own, but in one pass over the weights; biases and BatchNorm decay, too.
ADAM = partial(torch.optim.AdamW, betas=(0.9, 0.99), eps=1e-5, weight_decay=0.01, fused=True)

Pairs = tuple[torch.Tensor, torch.Tensor]  # maps (N, K, h, w) and their targets


@dataclass(frozen=True)
class HeadFit:
    """How good a learner was before anything below its last stage was trained."""

    error: float  # on the validation pictures, 0 to 1
    loss: float
    seconds: float

    def __str__(self) -> str:
        share = f"{100 * self.error:.1f} %"
        return f"The last layers alone: {share} wrong after {self.seconds:.0f} s."


def fit_head(learn: Learner, weights: Weights) -> HeadFit | None:
    """Train what comes last in a `vision_learner`; the learner stays an ordinary one.

    It needs the learner's `fitting_callbacks`. None, after a sentence, where the weights are
    random: what an untrained body computes tells nothing. Where a `Checkpoint` takes up a killed
    training, the answer is the one of then. A fit that goes on from there keeps the statistics
    that the features were computed with.
    """
    if not weights.pretrained:
        print("There are no trained weights to begin with, so everything has to be trained.")
        return None
    learn.add_cb(FrozenStatistics(STAGE))
    checkpoint = getattr(learn, "checkpoint", None)
    if checkpoint is None or checkpoint.head is None:
        try:
            found = _fit(learn)
        finally:  # as it was, also where somebody has stopped it
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
    """No epoch but the last one looks at the validation pictures."""

    def before_validate(self) -> None:
        if self.learn.epoch + 1 < self.learn.n_epoch:
            raise CancelValidException


def _maps(learn: Learner, frozen: nn.Module, half: torch.dtype | None) -> tuple[Pairs, Pairs]:
    """What the frozen layers make of the training pictures, every view, and of the others."""
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
        """Maps (N, K, h, w) and targets of a loader's pictures, as many as there is room for."""
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
    """Batches of what the frozen layers made of pictures: (N, K, h, w), and their targets."""

    def __init__(self, maps: torch.Tensor, targets: torch.Tensor, **settings: Any):
        self.maps, self.targets = maps, targets
        super().__init__(range(len(maps)), **settings)

    def create_batches(self, samples: Iterator[int]) -> Iterator[tuple[torch.Tensor, ...]]:
        for batch in self.chunkify(samples):
            yield self.maps[batch].float(), self.targets[batch]
