"""What would run beside a layer's own code is refused by name, and so is every unknown layer."""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import weight_norm

from kezako.importer.allowlist import Refused
from kezako.importer.container import open_export
from kezako.importer.layers import build


def payload(*_: Any) -> None:
    raise AssertionError("a stranger's code was run")


class Attention(nn.Module):
    """A layer of the stranger's own."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        payload()
        return pictures


@pytest.fixture
def strangers() -> Iterator[None]:
    """A module that exists while the file is written, and no longer when it is read."""
    module: Any = types.ModuleType("strangers")
    for thing in (payload, Attention):
        thing.__module__ = "strangers"
        setattr(module, thing.__name__, thing)
    sys.modules["strangers"] = module
    yield
    sys.modules.pop("strangers", None)


def convolution() -> nn.Conv2d:
    return nn.Conv2d(3, 3, 1)


def hooked(register: str) -> nn.Module:
    layer = convolution()
    getattr(layer, register)(payload)
    return layer


def replaced(name: str) -> nn.Module:
    layer = convolution()
    layer.__dict__[name] = payload
    return layer


def child_named(name: str) -> nn.Module:
    layer = nn.Sequential(convolution())
    layer._modules[name] = convolution()
    return layer


def set_to(name: str, value: Any) -> nn.Module:
    layer = convolution()
    layer.__dict__[name] = value
    return layer


def harmful() -> dict[str, tuple[str, nn.Module]]:
    """What it is -> (what the refusal names, the layer)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normed = weight_norm(convolution())
    return {
        "forward hook": ("strangers.payload", hooked("register_forward_hook")),
        "forward pre hook": ("strangers.payload", hooked("register_forward_pre_hook")),
        "backward hook": ("strangers.payload", hooked("register_full_backward_hook")),
        "state dict hook": ("strangers.payload", hooked("_register_state_dict_hook")),
        "load hook": ("hook", hooked("_register_load_state_dict_pre_hook")),
        "weight norm": ("WeightNorm", normed),
        "forward": ("replaces its forward", replaced("forward")),
        "call": ("replaces its __call__", replaced("__call__")),
        "class": ("replaces its __class__", replaced("__class__")),
        "conv forward": ("replaces its _conv_forward", replaced("_conv_forward")),
        "child": ("replaces its forward", child_named("forward")),
        "own layer": ("strangers.Attention", nn.Sequential(convolution(), Attention())),
        "setting": ("no plain value", set_to("stride", payload)),
        "long setting": ("no plain value", set_to("padding", (1,) * 1000)),
        "wild setting": ("Conv2d", set_to("groups", 0)),
        "other shape": ("another shape", set_to("out_channels", 5)),
        "not finite": ("not finite", nn.Sequential(diverged())),
    }


def rebuild(path: Path) -> nn.Module:
    export = open_export(path)
    return build(export.root, export)


def diverged() -> nn.Module:
    layer = convolution()
    layer.weight.data[0] = torch.nan
    return layer


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize("kind", [
    "forward hook", "forward pre hook", "backward hook", "state dict hook", "load hook",
    "weight norm", "forward", "call", "class", "conv forward", "child", "own layer", "setting",
    "long setting", "wild setting", "other shape", "not finite",
])  # fmt: skip
def test_it_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    named, layer = harmful()[kind]
    torch.save(layer, tmp_path / "network.pth")
    sys.modules.pop("strangers")
    with pytest.raises(Refused) as refusal:
        rebuild(tmp_path / "network.pth")
    assert named in str(refusal.value)


def test_a_network_within_itself_is_refused(tmp_path: Path) -> None:
    layer = nn.Sequential(nn.ReLU())
    layer._modules["again"] = layer
    torch.save(layer, tmp_path / "network.pth")
    with pytest.raises(Refused, match="more layers"):
        rebuild(tmp_path / "network.pth")


def test_a_network_that_doubles_at_every_step_is_refused(tmp_path: Path) -> None:
    layer = nn.Sequential(nn.ReLU(), nn.ReLU())
    for _ in range(30):
        layer = nn.Sequential(layer, layer)
    torch.save(layer, tmp_path / "network.pth")
    with pytest.raises(Refused, match="more layers"):
        rebuild(tmp_path / "network.pth")
