"""fastai callbacks that make training fit the machine at hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import torch
from fastai.callback.core import Callback, CancelFitException
from fastai.learner import Learner
from torch import nn

from kezako.errors import KezakoError
from kezako.train.cache import PicturesInMemory

MIN_GAIN = 1.15  # bfloat16 is taken where it is at least this much faster
_usual_fit = Learner._do_fit


def _do_fit(learn: Learner) -> None:
    """fastai's own, which ends a fit that was stopped as it ends any other.

    Its events leave a fit that ends by Ctrl+C, by Jupyter's stop button or by an error as it is:
    autocast on, the model in another memory format, the pictures of the fit in the DataLoaders.
    Whatever computes next in that process does so in half precision, and exports it.
    """
    before = {kind: torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")}
    try:
        _usual_fit(learn)
    except CancelFitException:
        raise
    except BaseException:
        for callback in learn.cbs.sorted("order"):
            half = getattr(callback, "autocast", None)  # ours, or that of fastai's MixedPrecision
            if half and torch.is_autocast_enabled(half.device) and not before[half.device]:
                half.__exit__(None, None, None)
            with suppress(Exception):  # the error that ended the fit is the one to be told
                callback("after_fit")
        learn._end_cleanup()
        raise


Learner._do_fit = _do_fit


class BFloat16OnCPU(Callback):
    """Forward pass in bfloat16 and channels-last; fastai's own MixedPrecision is for GPUs only."""

    order = 10

    def before_fit(self) -> None:
        self.learn.model.to(memory_format=torch.channels_last)

    def before_batch(self) -> None:
        self.learn.xb = tuple(
            x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x
            for x in self.learn.xb
        )
        self.autocast = torch.autocast("cpu", dtype=torch.bfloat16)
        self.autocast.__enter__()

    def after_pred(self) -> None:
        self.learn.pred = self.learn.pred.float()

    def after_loss(self) -> None:
        self.autocast.__exit__(None, None, None)

    def after_fit(self) -> None:
        self.learn.model.to(memory_format=torch.contiguous_format)


class FrozenStatistics(Callback):
    """BatchNorm below a stage of the body keeps the statistics that it was pretrained with.

    A few dozen steps move them half-way to those of the new pictures, which is neither: the
    validation error jumps, and takes epochs to come back. Weights and biases are trained.
    """

    order = 5

    def __init__(self, stage: int):  # an index into the body; the layers from it on learn theirs
        self.stage = stage

    def before_train(self) -> None:  # after fastai has put the whole model into training mode
        model = getattr(self.learn.model, "module", self.learn.model)  # where processes share it
        for layer in model[0][: self.stage].modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.eval()


class EpochLines(Callback):
    """One plain line an epoch, for whoever watches the notebook from a terminal.

    Not named `Progress`: fastai would then take it for its own bar, and `no_bar` remove it.
    """

    order = 60  # after the Recorder

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []  # figures of each epoch; the Recorder forgets them
        self.seconds: list[float] = []  # from the start of the fit to the end of each epoch

    def before_fit(self) -> None:
        self._start, self._fresh, self._trained = time.perf_counter(), True, False

    def go_on(self, rows: list[dict[str, float]], seconds: list[float]) -> None:
        """Continue after the epochs of a fit that was interrupted."""
        self.rows, self.seconds, self._fresh = rows, seconds, False
        self._start -= seconds[-1]

    def before_train(self) -> None:
        # Not before: fastai runs the events of a fit to find a rate and to gather predictions too.
        self._trained = not hasattr(self.learn, "lr_finder")
        if self._fresh and self._trained:
            self.rows, self.seconds, self._fresh = [], [], False

    def after_epoch(self) -> None:
        if not self._trained:
            return
        self._trained = False
        recorder = self.learn.recorder
        self.rows.append(
            {
                name: value
                for name, value in zip(recorder.metric_names, recorder.log, strict=False)
                if isinstance(value, float)
            }
        )
        self.seconds.append(time.perf_counter() - self._start)
        shown = ", ".join(f"{name} {value:.4f}" for name, value in self.rows[-1].items())
        print(
            f"epoch {self.learn.epoch + 1} of {self.learn.n_epoch}: {shown}, "
            f"{self.seconds[-1]:.0f} s",
            flush=True,
        )


class EarlyStop(Callback):
    """Ends a fit when neither the validation loss nor the error has fallen for a while.

    Not in the first half, where the rate is high and the error jumps.
    """

    order = 75  # after EpochLines has told the epoch, and a Checkpoint kept it

    def __init__(self) -> None:
        self._trained = False  # in this epoch; others end too: of a validation, of a checkpoint

    def before_train(self) -> None:
        self._trained = True

    def after_epoch(self) -> None:
        trained, self._trained = self._trained, False
        rows, epochs = self.learn.epoch_lines.rows, self.learn.n_epoch
        patience = max(3, epochs // 4)
        if not trained or not max(epochs / 2, patience) < len(rows) < epochs:
            return
        if all(is_settled([row[name] for row in rows], patience) for name in watched(rows[-1])):
            print(f"epoch {len(rows)} is the last: the error has settled.", flush=True)
            raise CancelFitException


def watched(row: dict[str, float]) -> list[str]:
    """The names of a row's figures that are low for a good model."""
    return [name for name in row if name == "valid_loss" or "error" in name]


def error_in(row: Mapping[str, float]) -> float:
    """The share of answers that a row of figures calls wrong."""
    for name, value in row.items():
        if "error" in name:
            return value
        if "accuracy" in name:
            return 1 - value
    raise KezakoError(
        f"There is neither an error nor an accuracy among {', '.join(row)}. Give vision_learner "
        "one: metrics=error_rate."
    )


def is_settled(values: list[float], patience: int) -> bool:
    """Whether none of the last `patience` values is below all before them."""
    return min(values[-patience:]) >= min(values[:-patience])


def fitting_callbacks(learn: Learner) -> list[Callback]:
    """What makes a fit quicker here; half precision only where it is measured to, just now."""
    usual = [PicturesInMemory(), EpochLines(), EarlyStop()]
    if learn.dls.device.type == "cuda":
        return usual + half_callbacks(_cuda_type())
    fast = torch.bfloat16 if bfloat16_gain(learn) >= MIN_GAIN else None
    return usual + half_callbacks(fast)


def half_callbacks(half: torch.dtype | None) -> list[Callback]:
    """What makes a fit compute in `half` precision; nothing for None."""
    if half is None:
        return []
    if not torch.cuda.is_available():
        return [BFloat16OnCPU()]
    from fastai.callback.fp16 import AMPMode, MixedPrecision

    return [MixedPrecision(AMPMode.BF16 if half == torch.bfloat16 else AMPMode.FP16)]


def half_type(learn: Learner) -> torch.dtype | None:
    """The half precision that a learner's callbacks chose; None where they chose none."""
    if learn.dls.device.type == "cuda":
        return _cuda_type()
    return torch.bfloat16 if hasattr(learn, "b_float16_on_cpu") else None


def _cuda_type() -> torch.dtype:
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def bfloat16_gain(learn: Learner) -> float:
    """Seconds a forward pass of the body in fp32 over those in bfloat16, on this processor."""
    one = learn.dls.test_dl(learn.dls.valid_ds.items[:1], num_workers=0).one_batch()[0]
    body = learn.model[0].eval()
    plain = torch.rand(4, *one.shape[1:])
    last = plain.contiguous(memory_format=torch.channels_last)

    def in_bfloat16() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            body(last)

    with torch.inference_mode():
        return _fastest(lambda: body(plain)) / _fastest(in_bfloat16)


def _fastest(call: Callable[[], Any], times: int = 3) -> float:
    call()  # the first one chooses kernels and allocates
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
