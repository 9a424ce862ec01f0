"""timm's resnet and convnext, computed as in timm; timm itself is not needed.

Each class here stands for one of timm's (of versions 0.4 to 1.0). It gets layers of the same
names and computes the same in eval mode; what only acts in training (dropped blocks and paths)
is left out.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _through(layers: nn.Module, names: tuple[str, ...], x: Tensor) -> Tensor:
    for name in names:
        layer = layers._modules.get(name)  # None if a variant has no such layer
        if layer is not None:
            x = layer(x)
    return x


class BasicBlock(nn.Module):
    """`timm.models.resnet.BasicBlock`: (N, K, h, w) -> (N, K', h', w')."""

    _main: ClassVar[tuple[str, ...]] = ("conv1", "bn1", "act1", "aa", "conv2", "bn2", "se")
    _end: ClassVar[str] = "act2"

    def forward(self, x: Tensor) -> Tensor:
        return _through(
            self, (self._end,), _through(self, self._main, x) + _through(self, ("downsample",), x)
        )


class Bottleneck(BasicBlock):
    """`timm.models.resnet.Bottleneck`."""

    _main: ClassVar = (
        "conv1", "bn1", "act1", "conv2", "bn2", "act2", "aa", "conv3", "bn3", "se",
    )  # fmt: skip
    _end: ClassVar = "act3"


class SqueezeExcite(nn.Module):
    """`timm.layers.SEModule`."""

    add_maxpool: bool

    def forward(self, x: Tensor) -> Tensor:
        pooled = x.mean((2, 3), keepdim=True)
        if self.add_maxpool:
            pooled = 0.5 * pooled + 0.5 * x.amax((2, 3), keepdim=True)
        return x * _through(self, ("fc1", "bn", "act", "fc2", "gate"), pooled)


class ChannelAttention(nn.Module):
    """`timm.layers.EcaModule`."""

    def forward(self, x: Tensor) -> Tensor:
        pooled = x.mean((2, 3))[:, None]  # (N, 1, K)
        return x * _through(self, ("conv", "act", "conv2", "gate"), pooled)[:, 0, :, None, None]


class Blur(nn.Module):
    """`timm.layers.BlurPool2d`."""

    stride: int
    padding: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.get_buffer("filt")  # (K or 1, 1, n, n)
        kernel = kernel.expand(x.shape[1], -1, -1, -1)
        padded = F.pad(x, list(self.padding), "reflect")
        return F.conv2d(padded, kernel, stride=self.stride, groups=x.shape[1])


class ConvNeXtBlock(nn.Module):
    """`timm.models.convnext.ConvNeXtBlock`."""

    use_conv_mlp: bool

    def forward(self, x: Tensor) -> Tensor:
        y = _through(self, ("conv_dw",), x)
        if self.use_conv_mlp:
            y = _through(self, ("norm", "mlp"), y)
        else:
            y = _through(self, ("norm", "mlp"), y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        gamma = self._parameters.get("gamma")
        if gamma is not None:
            y = y * gamma.reshape(1, -1, 1, 1)
        return y + _through(self, ("shortcut",), x)


class ResponseNorm(nn.Module):
    """`timm.layers.GlobalResponseNorm`."""

    eps: float
    spatial_dim: tuple[int, int]
    channel_dim: int
    wb_shape: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        lengths = torch.linalg.vector_norm(x, dim=self.spatial_dim, keepdim=True)
        share = lengths / (lengths.mean(dim=self.channel_dim, keepdim=True) + self.eps)
        weight, bias = (self.get_parameter(name).view(self.wb_shape) for name in ("weight", "bias"))
        return x + bias + weight * x * share


class MeanPool(nn.Module):
    """`timm.layers.FastAdaptiveAvgPool2d`."""

    flatten: bool

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=not self.flatten)


class Network(nn.Module):
    """What timm's networks share: a body, and then a head that pools."""

    _body: ClassVar[tuple[str, ...]] = ()
    _ending: ClassVar[tuple[str, ...]] = ()

    def forward(self, pictures: Tensor) -> Tensor:
        return _through(self, (*self._body, *self._ending), pictures)

    def parted(self) -> nn.Sequential:
        """The same network as Sequential(body, Sequential(pool, flatten, ...))."""
        body = [self._modules[name] for name in self._body if self._modules.get(name) is not None]
        head = [part for name in self._ending for part in _parts(self._modules[name])]
        return nn.Sequential(nn.Sequential(*body), nn.Sequential(*head))


def _parts(layer: nn.Module | None) -> list[nn.Module]:
    """A head's layers, with pooling and flattening as separate layers."""
    if layer is None or isinstance(layer, nn.Identity):
        return []
    if isinstance(layer, MeanPool):
        return [nn.AdaptiveAvgPool2d(1), *([nn.Flatten()] if layer.flatten else [])]
    if isinstance(layer, nn.Sequential):
        return [part for child in layer.children() for part in _parts(child)]
    return [layer]


class ResNet(Network):
    """`timm.models.resnet.ResNet`."""

    _body: ClassVar = (
        "conv1", "bn1", "act1", "maxpool", "layer1", "layer2", "layer3", "layer4",
    )  # fmt: skip
    _ending: ClassVar = ("global_pool", "fc")


class ConvNeXt(Network):
    """`timm.models.convnext.ConvNeXt`."""

    _body: ClassVar = ("stem", "stages", "norm_pre")
    _ending: ClassVar = ("head",)


class Body(nn.Module):
    """`fastai.vision.learner.TimmBody`: only the body of a timm network."""

    def forward(self, pictures: Tensor) -> Tensor:
        network = self._modules["model"]
        assert isinstance(network, Network)
        return _through(network, network._body, pictures)
