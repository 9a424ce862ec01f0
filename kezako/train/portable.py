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
from typing import Any

Unpickler = pickle.Unpickler
load, loads = pickle.load, pickle.loads

# What every machine with fastai has: Python's own modules and fastai's requirements.
ALLOWED = {"fastai", "fastcore", "fastprogress", "fasttransform", "numpy", "PIL", "plum", "torch",
           "torchvision", *sys.stdlib_module_names}  # fmt: skip


class NotPortable(ValueError):
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
