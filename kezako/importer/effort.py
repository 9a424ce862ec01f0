"""How much work and memory a network asks for, told from its shapes before it is run."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from kezako.importer.allowlist import Refused

MAX_NUMBERS = 2**28  # in one of a network's layers, for one picture: 1 GB
MAX_ALL_NUMBERS = 2**33  # in all of them
MAX_OPERATIONS = 10**12  # for one picture; a resnet152 takes 0.5 at 1024 pixels a side


class _Shapes(TorchDispatchMode):
    """Counts the numbers of each result, none of which is there."""

    def __init__(self) -> None:
        super().__init__()
        self.all = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:  # what torch calls for each operation
        result = func(*args, **(kwargs or {}))
        numbers = sum(leaf.numel() for leaf in tree_leaves(result) if isinstance(leaf, Tensor))
        self.all += numbers
        if numbers > MAX_NUMBERS or self.all > MAX_ALL_NUMBERS:
            raise Refused(
                "The file is refused: its network needs more memory than a page can give."
            )
        return result


def check_effort(network: nn.Module, size: int) -> None:
    """Raises `Refused` for a network whose layers are larger or slower than any page can bear."""
    with (
        torch.no_grad(),
        FakeTensorMode(allow_non_fake_inputs=True),
        FlopCounterMode(display=False) as operations,
        _Shapes(),
    ):
        network(torch.empty(1, 3, size, size))
    if operations.get_total_flops() > 2 * MAX_OPERATIONS:  # it counts multiplying and adding
        raise Refused("The file is refused: its network takes more time than a page can give.")
