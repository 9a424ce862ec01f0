"""Make torchvision import where its compiled operators do not fit the installed torch.

On Linux the registry's torchvision is a CUDA build. Beside a CPU build of torch its operators
cannot load, and its import fails on declaring fakes for two that do not exist. Nothing here
uses them; declaring their schemas is enough for everything else to work.
"""

from __future__ import annotations

import sys

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_library: torch.library.Library | None = None  # its schemas live as long as it does


def ensure() -> None:
    """Import torchvision, with the two schemas declared where that is what it lacks."""
    global _library
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for module in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[module]
        _library = torch.library.Library("torchvision", "DEF")
        for schema in _SCHEMAS:
            _library.define(schema)
        import torchvision  # noqa: F401
