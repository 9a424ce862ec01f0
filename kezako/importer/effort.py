"""How much work and memory a network needs, computed from shapes before it is run."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from kezako.importer.allowlist import Refused

MAX_NUMBERS = 2**28  # elements of one layer's output for one picture: 1 GB
MAX_ALL_NUMBERS = 2**33  # elements of all outputs together
# Multiply-adds for one picture; a resnet152 takes half of that at 1024 pixels a side.
MAX_OPERATIONS = 10**12


class _Shapes(TorchDispatchMode):
    """Counts the elements of each result; the tensors are fake, so none takes memory."""

    def __init__(self) -> None:
        super().__init__()
        self.all = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:  # torch calls this for each operation
        result = func(*args, **(kwargs or {}))
        numbers = sum(leaf.numel() for leaf in tree_leaves(result) if isinstance(leaf, Tensor))
        self.all += numbers
        if numbers > MAX_NUMBERS or self.all > MAX_ALL_NUMBERS:
            raise Refused(
                "The file is refused: its network needs more memory than a page can give."
            )
        return result


def check_effort(network: nn.Module, size: int) -> None:
    """Raise `Refused` if the layers of `network` are too large or too slow for a page."""
    with (
        torch.no_grad(),
        FakeTensorMode(allow_non_fake_inputs=True),
        FlopCounterMode(display=False) as operations,
        _Shapes(),
    ):
        network(torch.empty(1, 3, size, size))
    if operations.get_total_flops() > 2 * MAX_OPERATIONS:  # it counts multiplications and additions
        raise Refused("The file is refused: its network takes more time than a page can give.")
