"""Make torchvision importable if its compiled operators do not match the installed torch.

On Linux, PyPI's torchvision is a CUDA build. With a CPU build of torch its operators cannot be
loaded, and importing it fails when it registers fake kernels for two of them. Nothing here uses
these operators; declaring their schemas makes everything else work.
"""

from __future__ import annotations

import sys

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_library: torch.library.Library | None = None  # keeps the schemas alive


def ensure() -> None:
    """Import torchvision, declaring the two schemas if they are missing."""
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
