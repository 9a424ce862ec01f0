"""fastai callbacks that adapt training to the machine."""

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

MIN_GAIN = 1.15  # bfloat16 is used if it is at least this much faster
_usual_fit = Learner._do_fit


def _do_fit(learn: Learner) -> None:
    """fastai's `_do_fit`, but with cleanup after any exception.

    If a fit ends by Ctrl+C, Jupyter's stop button or an error, fastai's callbacks do not clean up:
    autocast stays on, the model stays channels-last, and our cache stays in the DataLoaders.
    Whatever runs next in the process would then compute in half precision, and export that.
    """
    before = {kind: torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")}
    try:
        _usual_fit(learn)
    except CancelFitException:
        raise
    except BaseException:
        for callback in learn.cbs.sorted("order"):
            # Of BFloat16OnCPU or of fastai's MixedPrecision.
            half = getattr(callback, "autocast", None)
            if half and torch.is_autocast_enabled(half.device) and not before[half.device]:
                half.__exit__(None, None, None)
            with suppress(Exception):  # raise the error that ended the fit, not a later one
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
    """Keeps the pretrained BatchNorm statistics below a stage of the body.

    A few dozen steps move them only half-way to those of the new pictures, which fits neither: the
    validation error jumps, and takes epochs to recover. Weights and biases are still trained.
    """

    order = 5

    # An index into the body; layers from it on update their statistics.
    def __init__(self, stage: int):
        self.stage = stage

    def before_train(self) -> None:  # after fastai has put the whole model into training mode
        # Unwraps DistributedDataParallel.
        model = getattr(self.learn.model, "module", self.learn.model)
        for layer in model[0][: self.stage].modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.eval()


class EpochLines(Callback):
    """Prints one plain line per epoch, for a notebook that is run from a terminal.

    It is not called `Progress`: fastai would take it for its own progress bar, and `no_bar` would
    remove it.
    """

    order = 60  # after the Recorder

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []  # figures of each epoch; the Recorder drops them
        self.seconds: list[float] = []  # from the start of the fit to the end of each epoch

    def before_fit(self) -> None:
        self._start, self._fresh, self._trained = time.perf_counter(), True, False

    def go_on(self, rows: list[dict[str, float]], seconds: list[float]) -> None:
        """Continue after the epochs of a training that was interrupted."""
        self.rows, self.seconds, self._fresh = rows, seconds, False
        self._start -= seconds[-1]

    def before_train(self) -> None:
        # Not before: fastai fires the events of a fit for lr_find and get_preds, too.
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

    Never in the first half, where the learning rate is high and the error jumps.
    """

    order = 75  # after EpochLines has printed the epoch, and Checkpoint saved it

    def __init__(self) -> None:
        # In this epoch; `after_epoch` also fires for validation and resumed epochs.
        self._trained = False

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
    """The names of a row's figures that are lower for a better model."""
    return [name for name in row if name == "valid_loss" or "error" in name]


def error_in(row: Mapping[str, float]) -> float:
    """The error, 0 to 1, in a row of figures. Raises `KezakoError` without error or accuracy."""
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
    """Whether none of the last `patience` values is below all values before them."""
    return min(values[-patience:]) >= min(values[:-patience])


def fitting_callbacks(learn: Learner) -> list[Callback]:
    """Callbacks that speed up a fit on this machine; on a CPU, bfloat16 only if it is faster."""
    usual = [PicturesInMemory(), EpochLines(), EarlyStop()]
    if learn.dls.device.type == "cuda":
        return usual + half_callbacks(_cuda_type())
    fast = torch.bfloat16 if bfloat16_gain(learn) >= MIN_GAIN else None
    return usual + half_callbacks(fast)


def half_callbacks(half: torch.dtype | None) -> list[Callback]:
    """Callbacks for a fit in `half` precision; none for None."""
    if half is None:
        return []
    if not torch.cuda.is_available():
        return [BFloat16OnCPU()]
    from fastai.callback.fp16 import AMPMode, MixedPrecision

    return [MixedPrecision(AMPMode.BF16 if half == torch.bfloat16 else AMPMode.FP16)]


def half_type(learn: Learner) -> torch.dtype | None:
    """The half precision that a learner's callbacks use; None for full precision."""
    if learn.dls.device.type == "cuda":
        return _cuda_type()
    return torch.bfloat16 if hasattr(learn, "b_float16_on_cpu") else None


def _cuda_type() -> torch.dtype:
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def bfloat16_gain(learn: Learner) -> float:
    """Time of the body's forward pass in fp32, divided by that in bfloat16, on this CPU."""
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
    call()  # warm-up: chooses kernels and allocates
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
