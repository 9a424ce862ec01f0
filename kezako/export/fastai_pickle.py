"""A pickle module for `Learner.export` whose files open on any machine with fastai.

Plain `export` pickles paths as this system's class, which others cannot create, and functions of
this project, which are not installed there. This module writes paths as `pathlib.Path`. A class
or function from outside the allowed packages raises `NotPortable` during the export, when you can
still fix it.
"""

from __future__ import annotations

import pathlib
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastcore.foundation import L
from torch import nn

import kezako.train  # noqa: F401  (before torchvision)
from kezako.errors import KezakoError

import torchvision  # isort: skip
from fastai.learner import Learner  # isort: skip

Unpickler = pickle.Unpickler
load, loads = pickle.load, pickle.loads

# Available on every machine with fastai: the standard library and fastai's requirements.
ALLOWED = {"fastai", "fastcore", "fastprogress", "fasttransform", "numpy", "PIL", "plum", "torch",
           "torchvision", *sys.stdlib_module_names}  # fmt: skip


class NotPortable(KezakoError):
    """Something in the learner could not be loaded elsewhere; the message names it."""


class Pickler(pickle.Pickler):
    """Writes paths as `pathlib.Path`. Raises `NotPortable` for what only this machine has."""

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
    """The learner with the calibrated model, and without anything from this project."""
    before = {name: getattr(learn, name, None) for name in ("model", "arch", "path", "cbs")}
    ours = [callback for callback in learn.cbs if type(callback).__module__.startswith("kezako")]
    targets = learn.dls.train_ds.tls[-1].tfms, learn.dls.valid_ds.tls[-1].tfms
    getters = [list(tfms.fs) for tfms in targets]
    learn.remove_cbs(ours)
    learn.model, learn.arch = model, getattr(torchvision.models, backbone)
    for tfms, fs in zip(targets, getters, strict=True):
        # Drops the function that reads a training picture's label from its folder.
        tfms.fs = L(fs[1:])
    try:
        yield learn
    finally:
        for tfms, fs in zip(targets, getters, strict=True):
            tfms.fs = L(fs)
        learn.model, learn.arch, learn.path = before["model"], before["arch"], before["path"]
        learn.add_cbs(ours)
