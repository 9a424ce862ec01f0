"""A pickle module for `Learner.export` whose files open on any machine that has fastai.

Plain `export` writes paths as the class of this system, which others cannot create, and
functions of this project, which are not installed there. Here paths are written as
`pathlib.Path`, and a class or function from outside the allowed packages is refused while
exporting, when it can still be mended.
"""

from __future__ import annotations

import pathlib
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torchvision
from fastai.learner import Learner
from fastcore.foundation import L
from torch import nn

from kezako.errors import KezakoError

Unpickler = pickle.Unpickler
load, loads = pickle.load, pickle.loads

# What every machine with fastai has: Python's own modules and fastai's requirements.
ALLOWED = {"fastai", "fastcore", "fastprogress", "fasttransform", "numpy", "PIL", "plum", "torch",
           "torchvision", *sys.stdlib_module_names}  # fmt: skip


class NotPortable(KezakoError):
    """Something in the learner would not open elsewhere; the message names it."""


class Pickler(pickle.Pickler):
    """Writes native paths as `pathlib.Path`; refuses what only this machine has."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, pathlib.PurePath):
            return pathlib.Path, tuple(value.parts)
        if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
            module = str(getattr(value, "__module__", None) or "builtins")
            if module.split(".")[0] not in ALLOWED:
                raise NotPortable(
                    f"The learner holds {module}.{value.__qualname__}, which a machine with fastai "
                    "alone does not have. Use a function of fastai's in its place."
                )
        return NotImplemented


def dump(value: Any, file: Any, protocol: int = 2) -> None:
    Pickler(file, protocol).dump(value)


@contextmanager
def learner(learn: Learner, model: nn.Module, backbone: str) -> Iterator[Learner]:
    """The learner with the calibrated model and nothing of this project's in it."""
    before = {name: getattr(learn, name, None) for name in ("model", "arch", "path", "cbs")}
    ours = [callback for callback in learn.cbs if type(callback).__module__.startswith("kezako")]
    targets = learn.dls.train_ds.tls[-1].tfms, learn.dls.valid_ds.tls[-1].tfms
    getters = [list(tfms.fs) for tfms in targets]
    learn.remove_cbs(ours)
    learn.model, learn.arch = model, getattr(torchvision.models, backbone)
    for tfms, fs in zip(targets, getters, strict=True):
        tfms.fs = L(fs[1:])  # the function that reads a training picture's label from its folder
    try:
        yield learn
    finally:
        for tfms, fs in zip(targets, getters, strict=True):
            tfms.fs = L(fs)
        learn.model, learn.arch, learn.path = before["model"], before["arch"], before["path"]
        learn.add_cbs(ours)
