"""The supported layers: their names in a file, and the classes that implement them here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

import kezako.train  # noqa: F401  (before torchvision)
from kezako.importer import timm

import torchvision  # isort: skip
from fastai import layers as fastai_layers  # isort: skip
from torchvision.models import (  # isort: skip
    convnext, densenet, efficientnet, mobilenetv2, mobilenetv3, regnet, resnet, shufflenetv2,
    squeezenet,
)  # fmt: skip

# Layers of torch whose constructor parameters are stored as attributes.
SIMPLE: Mapping[str, type[nn.Module]] = {name: getattr(nn, name) for name in (
    "Conv1d", "Conv2d", "ConvTranspose2d", "Linear", "BatchNorm1d", "BatchNorm2d", "GroupNorm",
    "LayerNorm", "InstanceNorm2d", "LocalResponseNorm", "ReLU", "ReLU6", "LeakyReLU", "PReLU",
    "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid", "Tanh", "Hardswish", "Hardsigmoid",
    "Hardtanh", "Softplus", "Softmax", "LogSoftmax", "LogSigmoid", "MaxPool2d", "AvgPool2d",
    "AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "Dropout", "Dropout1d", "Dropout2d",
    "AlphaDropout", "Flatten", "Identity", "ZeroPad2d", "ReflectionPad2d", "ReplicationPad2d",
    "PixelShuffle", "ChannelShuffle")}  # fmt: skip
# Layers of timm that are layers of torch under another name.
_TIMM_SIMPLE: Mapping[str, type[nn.Module]] = {
    "LayerNorm": nn.LayerNorm, "LayerNormFp32": nn.LayerNorm, "GroupNorm": nn.GroupNorm,
    "GroupNorm1": nn.GroupNorm, "Swish": nn.SiLU, "Mish": nn.Mish, "Sigmoid": nn.Sigmoid,
    "Tanh": nn.Tanh, "HardSwish": nn.Hardswish, "HardSigmoid": nn.Hardsigmoid, "GELU": nn.GELU,
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A class whose code runs here, and the attributes that this code reads."""

    made: type[nn.Module]
    settings: tuple[str, ...] = ()
    defaults: tuple[tuple[str, Any], ...] = ()  # attributes that older versions did not have


_ROW = Kind(nn.Sequential)
_VISION, _FASTAI = "torchvision.models", "fastai.layers"
KINDS: Mapping[str, Kind] = {
    "torch.nn.modules.container.Sequential": _ROW,
    "torch.nn.modules.container.ModuleList": Kind(nn.ModuleList),
    f"{_VISION}.resnet.BasicBlock": Kind(resnet.BasicBlock, (), (("downsample", None),)),
    f"{_VISION}.resnet.Bottleneck": Kind(resnet.Bottleneck, (), (("downsample", None),)),
    f"{_VISION}.resnet.ResNet": Kind(resnet.ResNet),
    f"{_VISION}.densenet._DenseLayer": Kind(
        densenet._DenseLayer, ("drop_rate", "memory_efficient"),
        (("drop_rate", 0.0), ("memory_efficient", False)),
    ),
    f"{_VISION}.densenet._DenseBlock": Kind(densenet._DenseBlock),
    f"{_VISION}.densenet._Transition": _ROW,
    f"{_VISION}.squeezenet.Fire": Kind(squeezenet.Fire),
    f"{_VISION}.mobilenet.ConvBNReLU": _ROW,
    f"{_VISION}.mobilenetv2.ConvBNReLU": _ROW,
    f"{_VISION}.mobilenetv2.ConvBNActivation": _ROW,
    f"{_VISION}.mobilenet.InvertedResidual": Kind(
        mobilenetv2.InvertedResidual, ("use_res_connect",)
    ),
    f"{_VISION}.mobilenetv2.InvertedResidual": Kind(
        mobilenetv2.InvertedResidual, ("use_res_connect",)
    ),
    f"{_VISION}.mobilenetv3.InvertedResidual": Kind(
        mobilenetv3.InvertedResidual, ("use_res_connect",)
    ),
    f"{_VISION}.efficientnet.MBConv": Kind(efficientnet.MBConv, ("use_res_connect",)),
    f"{_VISION}.efficientnet.FusedMBConv": Kind(efficientnet.FusedMBConv, ("use_res_connect",)),
    f"{_VISION}.convnext.CNBlock": Kind(convnext.CNBlock),
    f"{_VISION}.convnext.LayerNorm2d": Kind(
        convnext.LayerNorm2d, ("normalized_shape", "eps", "elementwise_affine")
    ),
    f"{_VISION}.regnet.SimpleStemIN": _ROW,
    f"{_VISION}.regnet.AnyStage": _ROW,
    f"{_VISION}.regnet.BottleneckTransform": _ROW,
    f"{_VISION}.regnet.ResBottleneckBlock": Kind(
        regnet.ResBottleneckBlock, (), (("proj", None),)
    ),
    f"{_VISION}.shufflenetv2.InvertedResidual": Kind(shufflenetv2.InvertedResidual, ("stride",)),
    "torchvision.ops.misc.ConvNormActivation": _ROW,
    "torchvision.ops.misc.Conv2dNormActivation": _ROW,
    "torchvision.ops.misc.SqueezeExcitation": Kind(torchvision.ops.misc.SqueezeExcitation),
    "torchvision.ops.misc.Permute": Kind(torchvision.ops.misc.Permute, ("dims",)),
    "torchvision.ops.stochastic_depth.StochasticDepth": Kind(
        torchvision.ops.StochasticDepth, ("p", "mode")
    ),
    f"{_FASTAI}.AdaptiveConcatPool2d": Kind(fastai_layers.AdaptiveConcatPool2d, ("size",)),
    f"{_FASTAI}.Flatten": Kind(fastai_layers.Flatten, ("full",), (("full", False),)),
    f"{_FASTAI}.Identity": Kind(nn.Identity),
    f"{_FASTAI}.MishJitAutoFn": Kind(nn.Mish),
    f"{_FASTAI}.Mish": Kind(nn.Mish),
    f"{_FASTAI}.ConvLayer": _ROW,
    f"{_FASTAI}.LinBnDrop": _ROW,
    f"{_FASTAI}.ResBlock": Kind(fastai_layers.ResBlock),
    "fastai.vision.learner.TimmBody": Kind(timm.Body),
    "fastai.vision.models.xresnet.XResNet": _ROW,
}  # fmt: skip
_NORM_2D = Kind(convnext.LayerNorm2d, ("normalized_shape", "eps", "elementwise_affine"))
_TIMM_LAYERS: Mapping[str, Kind] = {
    "LayerNorm2d": _NORM_2D,
    "LayerNorm2dFp32": _NORM_2D,
    "LayerNormExp2d": _NORM_2D,
    "GELUTanh": Kind(nn.GELU, (), (("approximate", "tanh"),)),
    "Mlp": _ROW,
    "ConvMlp": _ROW,
    "GlobalResponseNormMlp": _ROW,
    "GlobalResponseNorm": Kind(
        timm.ResponseNorm, ("eps", "spatial_dim", "channel_dim", "wb_shape")
    ),
    "ClassifierHead": _ROW,
    "NormMlpClassifierHead": _ROW,
    "SelectAdaptivePool2d": _ROW,
    "FastAdaptiveAvgPool": Kind(timm.MeanPool, ("flatten",)),
    "FastAdaptiveAvgPool2d": Kind(timm.MeanPool, ("flatten",)),
    "SEModule": Kind(timm.SqueezeExcite, ("add_maxpool",), (("add_maxpool", False),)),
    "EcaModule": Kind(timm.ChannelAttention),
    "BlurPool2d": Kind(timm.Blur, ("stride", "padding")),
    "DropPath": Kind(nn.Identity),
    "DropBlock2d": Kind(nn.Identity),
}
_TIMM: Mapping[str, Kind] = {
    "resnet.ResNet": Kind(timm.ResNet),
    "resnet.BasicBlock": Kind(timm.BasicBlock),
    "resnet.Bottleneck": Kind(timm.Bottleneck),
    "convnext.ConvNeXt": Kind(timm.ConvNeXt),
    "convnext.ConvNeXtStage": _ROW,
    "convnext.ConvNeXtBlock": Kind(timm.ConvNeXtBlock, ("use_conv_mlp",)),
    "convnext.LayerNorm2d": _NORM_2D,
    "convnext.ConvMlp": _ROW,
}
WRAPPERS = {"torch.nn.parallel.data_parallel.DataParallel",
             "torch.nn.parallel.distributed.DistributedDataParallel"}  # fmt: skip

_TIMM_HOMES = re.compile(r"timm\.(models\.)?layers\.(\w+\.)?(?P<name>\w+)")


def simple_of(path: str) -> type[nn.Module] | None:
    """The class of torch whose constructor makes the layer of that name; None for others."""
    if path.startswith("torch.nn.modules."):
        return SIMPLE.get(path.rpartition(".")[2])
    home = _TIMM_HOMES.fullmatch(path)
    return _TIMM_SIMPLE.get(home["name"]) if home else None


def kind_of(path: str) -> Kind | None:
    """How to make a layer that has no simple constructor; None if it is not supported."""
    home = _TIMM_HOMES.fullmatch(path)
    if home:
        return _TIMM_LAYERS.get(home["name"])
    return _TIMM.get(path.removeprefix("timm.models.")) or KINDS.get(path)
