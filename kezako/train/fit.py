"""fastai callbacks that make training fit the machine at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from fastai.callback.core import Callback
from fastai.learner import Learner

MIN_GAIN = 1.15  # bfloat16 is taken where it is at least this much faster


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
        self._autocast = torch.autocast("cpu", dtype=torch.bfloat16)
        self._autocast.__enter__()

    def after_pred(self) -> None:
        self.learn.pred = self.learn.pred.float()

    def after_loss(self) -> None:
        self._autocast.__exit__(None, None, None)

    def after_fit(self) -> None:
        self.learn.model.to(memory_format=torch.contiguous_format)


class EpochLines(Callback):
    """One plain line an epoch, for whoever watches the notebook from a terminal.

    Not named `Progress`: fastai would then take it for its own bar, and `no_bar` remove it.
    """

    order = 60  # after the Recorder

    def before_fit(self) -> None:
        # fastai runs the same events to find a learning rate and to gather predictions.
        self.run = not (hasattr(self.learn, "lr_finder") or hasattr(self.learn, "gather_preds"))
        self._start = time.perf_counter()

    def after_epoch(self) -> None:
        names, values = self.learn.recorder.metric_names, self.learn.recorder.log
        shown = ", ".join(
            f"{name} {value:.4f}"
            for name, value in zip(names, values, strict=False)
            if isinstance(value, float)
        )
        seconds = time.perf_counter() - self._start
        print(
            f"epoch {self.learn.epoch + 1} of {self.learn.n_epoch}: {shown}, {seconds:.0f} s",
            flush=True,
        )


def fitting_callbacks(learn: Learner) -> list[Callback]:
    """What speeds this machine up, each because it was measured to, just now."""
    if next(learn.model.parameters()).is_cuda:
        from fastai.callback.fp16 import AMPMode, MixedPrecision

        bf16 = torch.cuda.is_bf16_supported()
        return [EpochLines(), MixedPrecision(AMPMode.BF16 if bf16 else AMPMode.FP16)]
    gain = bfloat16_gain(learn)
    return [EpochLines(), *([BFloat16OnCPU()] if gain >= MIN_GAIN else [])]


def bfloat16_gain(learn: Learner) -> float:
    """Seconds a forward pass of the body in fp32 over those in bfloat16, on this processor."""
    size = learn.dls.one_batch()[0].shape[-1]
    body = learn.model[0].eval()
    plain = torch.rand(8, 3, size, size)
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
