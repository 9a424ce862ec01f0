"""Records of a network's layers -> the network, built anew from layers that are known here.

Nothing of the file becomes part of it but numbers: each layer is made by its own constructor or
class, with sizes and settings that are plain values, and its weights are copied in. What a layer
would run beside its own code (a hook, a replaced `forward`, a parametrisation) is refused by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

import kezako.train  # noqa: F401  (before torchvision)
from kezako.bring.container import Export
from kezako.bring.names import Refused, short
from kezako.bring.records import Name, Record, as_dict, attributes, path_of
from kezako.bring.tensors import to_plain, to_tensor

import torchvision  # isort: skip
from fastai import layers as fastai_layers  # isort: skip
from torchvision.models import (  # isort: skip
    convnext, densenet, efficientnet, mobilenetv2, mobilenetv3, regnet, resnet, shufflenetv2,
    squeezenet,
)  # fmt: skip

MAX_LAYERS = 5000  # of a network; densenet201 has 700
MAX_DEPTH = 40  # of layers within layers
MAX_NUMBERS = 400_000_000  # weights; ONNX files end at twice that

# Layers of torch that are made by their constructor, whose parameters are attributes of theirs.
_SIMPLE = {name: getattr(nn, name) for name in (
    "Conv1d", "Conv2d", "ConvTranspose2d", "Linear", "BatchNorm1d", "BatchNorm2d", "GroupNorm",
    "LayerNorm", "InstanceNorm2d", "LocalResponseNorm", "ReLU", "ReLU6", "LeakyReLU", "PReLU",
    "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid", "Tanh", "Hardswish", "Hardsigmoid",
    "Hardtanh", "Softplus", "Softmax", "LogSoftmax", "LogSigmoid", "MaxPool2d", "AvgPool2d",
    "AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "Dropout", "Dropout1d", "Dropout2d",
    "AlphaDropout", "Flatten", "Identity", "ZeroPad2d", "ReflectionPad2d", "ReplicationPad2d",
    "PixelShuffle", "ChannelShuffle")}  # fmt: skip


@dataclass(frozen=True)
class _Kind:
    """A class whose code is run here, with the attributes of its own that the code reads."""

    made: type[nn.Module]
    settings: tuple[str, ...] = ()
    defaults: tuple[tuple[str, Any], ...] = ()  # what older versions did not have yet


_ROW = _Kind(nn.Sequential)
_VISION, _FASTAI = "torchvision.models", "fastai.layers"
_KINDS: Mapping[str, _Kind] = {
    "torch.nn.modules.container.Sequential": _ROW,
    "torch.nn.modules.container.ModuleList": _Kind(nn.ModuleList),
    f"{_VISION}.resnet.BasicBlock": _Kind(resnet.BasicBlock, (), (("downsample", None),)),
    f"{_VISION}.resnet.Bottleneck": _Kind(resnet.Bottleneck, (), (("downsample", None),)),
    f"{_VISION}.resnet.ResNet": _Kind(resnet.ResNet),
    f"{_VISION}.densenet._DenseLayer": _Kind(
        densenet._DenseLayer, ("drop_rate", "memory_efficient"),
        (("drop_rate", 0.0), ("memory_efficient", False)),
    ),
    f"{_VISION}.densenet._DenseBlock": _Kind(densenet._DenseBlock),
    f"{_VISION}.densenet._Transition": _ROW,
    f"{_VISION}.squeezenet.Fire": _Kind(squeezenet.Fire),
    f"{_VISION}.mobilenet.ConvBNReLU": _ROW,
    f"{_VISION}.mobilenetv2.ConvBNReLU": _ROW,
    f"{_VISION}.mobilenetv2.ConvBNActivation": _ROW,
    f"{_VISION}.mobilenet.InvertedResidual": _Kind(
        mobilenetv2.InvertedResidual, ("use_res_connect",)
    ),
    f"{_VISION}.mobilenetv2.InvertedResidual": _Kind(
        mobilenetv2.InvertedResidual, ("use_res_connect",)
    ),
    f"{_VISION}.mobilenetv3.InvertedResidual": _Kind(
        mobilenetv3.InvertedResidual, ("use_res_connect",)
    ),
    f"{_VISION}.efficientnet.MBConv": _Kind(efficientnet.MBConv, ("use_res_connect",)),
    f"{_VISION}.efficientnet.FusedMBConv": _Kind(efficientnet.FusedMBConv, ("use_res_connect",)),
    f"{_VISION}.convnext.CNBlock": _Kind(convnext.CNBlock),
    f"{_VISION}.convnext.LayerNorm2d": _Kind(
        convnext.LayerNorm2d, ("normalized_shape", "eps", "elementwise_affine")
    ),
    f"{_VISION}.regnet.SimpleStemIN": _ROW,
    f"{_VISION}.regnet.AnyStage": _ROW,
    f"{_VISION}.regnet.BottleneckTransform": _ROW,
    f"{_VISION}.regnet.ResBottleneckBlock": _Kind(
        regnet.ResBottleneckBlock, (), (("proj", None),)
    ),
    f"{_VISION}.shufflenetv2.InvertedResidual": _Kind(shufflenetv2.InvertedResidual, ("stride",)),
    "torchvision.ops.misc.ConvNormActivation": _ROW,
    "torchvision.ops.misc.Conv2dNormActivation": _ROW,
    "torchvision.ops.misc.SqueezeExcitation": _Kind(torchvision.ops.misc.SqueezeExcitation),
    "torchvision.ops.misc.Permute": _Kind(torchvision.ops.misc.Permute, ("dims",)),
    "torchvision.ops.stochastic_depth.StochasticDepth": _Kind(
        torchvision.ops.StochasticDepth, ("p", "mode")
    ),
    f"{_FASTAI}.AdaptiveConcatPool2d": _Kind(fastai_layers.AdaptiveConcatPool2d, ("size",)),
    f"{_FASTAI}.Flatten": _Kind(fastai_layers.Flatten, ("full",), (("full", False),)),
    f"{_FASTAI}.Identity": _Kind(nn.Identity),
    f"{_FASTAI}.MishJitAutoFn": _Kind(nn.Mish),
    f"{_FASTAI}.Mish": _Kind(nn.Mish),
    f"{_FASTAI}.ConvLayer": _ROW,
    f"{_FASTAI}.LinBnDrop": _ROW,
    f"{_FASTAI}.ResBlock": _Kind(fastai_layers.ResBlock),
    "fastai.vision.models.xresnet.XResNet": _ROW,
}  # fmt: skip
_WRAPPERS = {"torch.nn.parallel.data_parallel.DataParallel",
             "torch.nn.parallel.distributed.DistributedDataParallel"}  # fmt: skip


def build(record: Any, export: Export) -> nn.Module:
    """The network that `record` describes, ready to answer. Raises `Refused`."""
    return _Builder(export).build(record, "model", 0).float().eval()


class _Builder:
    """Makes a layer for each place; one that stood in two would be left out by `children()`."""

    def __init__(self, export: Export):
        self._export = export
        self._layers = self._numbers = 0

    def build(self, record: Any, place: str, depth: int) -> nn.Module:
        self._layers += 1
        if self._layers > MAX_LAYERS or depth > MAX_DEPTH:
            raise Refused("The file is refused: its network has more layers than any has.")
        kind, held = path_of(record), attributes(record)
        if not isinstance(record, Record) or isinstance(record, Name) or not held:
            raise Refused(f"Where a layer should be ({place}), the file holds a {short(kind)}.")
        if kind in _WRAPPERS:
            return self.build(as_dict(held.get("_modules")).get("module"), place, depth + 1)
        layer = self._made(kind, held, place)
        for name, child in as_dict(held.get("_modules")).items():
            if child is not None:
                below = self.build(child, f"{place}.{short(str(name))}", depth + 1)
                layer._modules[str(name)] = below
            else:
                layer._modules[str(name)] = None
        self._fill(layer, held, place)
        return layer

    def _made(self, kind: str, held: dict[str, Any], place: str) -> nn.Module:
        name = kind.rpartition(".")[2]
        simple = _SIMPLE.get(name) if kind.startswith("torch.nn.modules.") else None
        known = _KINDS.get(kind)
        made = simple if known is None else known.made
        if made is None:
            raise Refused(_unknown(kind, place))
        _check(made, held, place)
        if known is None:
            return _construct(made, held, place)
        layer: nn.Module = object.__new__(known.made)
        nn.Module.__init__(layer)
        children = as_dict(held.get("_modules"))
        for setting, value in known.defaults:
            if setting not in children:
                object.__setattr__(layer, setting, value)
        for setting in known.settings:
            if setting in held:
                object.__setattr__(layer, setting, _plain(held[setting], place))
        for tensor in ("_parameters", "_buffers"):
            for key in as_dict(held.get(tensor)):
                getattr(layer, tensor)[str(key)] = None
        return layer

    def _fill(self, layer: nn.Module, held: dict[str, Any], place: str) -> None:
        """Copy the weights in; those of a constructed layer must have its shapes."""
        for group, where in ((layer._parameters, "_parameters"), (layer._buffers, "_buffers")):
            given = as_dict(held.get(where))
            for key, expected in group.items():
                value = given.get(key)
                if value is None and expected is not None and key != "num_batches_tracked":
                    raise Refused(f"The file is damaged: {place}.{key} is missing.")
                if value is None:
                    group[key] = None if expected is None else torch.zeros((), dtype=torch.long)
                    continue
                tensor = self._tensor(value, f"{place}.{key}")
                if expected is not None and tensor.shape != expected.shape:
                    raise Refused(f"The file is damaged: {place}.{key} has another shape.")
                group[key] = (  # type: ignore[assignment]
                    nn.Parameter(tensor, requires_grad=False) if where == "_parameters" else tensor
                )

    def _tensor(self, value: Any, place: str) -> torch.Tensor:
        tensor = to_tensor(value, self._export)
        self._numbers += tensor.numel()
        if self._numbers > MAX_NUMBERS:
            raise Refused("The file is refused: its network is too large for a page.")
        if tensor.is_floating_point():
            tensor = tensor.float()
            if not bool(torch.isfinite(tensor).all()):
                raise Refused(f"The weights of {place} are not finite: the training had diverged.")
        return tensor


def _construct(made: type[nn.Module], held: dict[str, Any], place: str) -> nn.Module:
    arguments: dict[str, Any] = {}
    for name in inspect.signature(made).parameters:
        if name == "bias":
            arguments[name] = as_dict(held.get("_parameters")).get("bias") is not None
        elif name in held and name not in ("device", "dtype"):
            arguments[name] = _plain(held[name], place)
    try:
        # "meta" takes no memory, whatever sizes the file claims; the weights are checked later.
        with torch.device("meta"):
            layer = made(**arguments)
    except Exception as error:
        raise Refused(
            f"The file is damaged: {place} cannot be a {made.__name__} ({type(error).__name__})."
        ) from error
    return layer


def _plain(value: Any, place: str) -> Any:
    """A number, text, truth value or tuple of these. Raises `Refused` for anything else."""
    plain = to_plain(value)
    parts = plain if isinstance(plain, tuple) else (plain,)
    if len(parts) > 16 or not all(
        part is None or isinstance(part, int | float) or (isinstance(part, str) and len(part) < 40)
        for part in parts
    ):
        raise Refused(f"The file is refused: {place} has a setting that is no plain value.")
    return plain


def _check(made: type[nn.Module], held: dict[str, Any], place: str) -> None:
    """Refuse what would run beside the layer's own code."""
    for key, value in held.items():
        if "hook" in key:
            if given := list(as_dict(value).values()):
                raise Refused(
                    f"The layer {place} carries a hook ({short(path_of(given[0]))}), code that "
                    "would run with it: refused, nothing of it was run."
                )
        elif key.startswith("__") or (
            callable(getattr(made, key, None)) and isinstance(value, Name | Record)
        ):
            raise Refused(
                f"The layer {place} replaces its {short(key)} by {short(path_of(value))}: refused, "
                "nothing of it was run."
            )
    for key in as_dict(held.get("_modules")):
        if callable(getattr(made, str(key), None)):
            raise Refused(f"The layer {place} replaces its {short(str(key))}: refused.")


def _unknown(kind: str, place: str) -> str:
    if kind.startswith("timm."):
        why = "Networks of timm's are not taken"
    elif kind.startswith("fastai.") and "SigmoidRange" in kind:
        return "The learner is no classifier: it predicts numbers in a range (SigmoidRange)."
    else:
        why = "It is no layer of the networks that are known here"
    return (
        f"The layer {place} is a {short(kind)}. {why}. What can be taken is vision_learner with "
        "resnet, xresnet, densenet, squeezenet, vgg, alexnet, mobilenet, efficientnet, convnext, "
        "regnet or shufflenet of torchvision or fastai."
    )


__all__ = ["build"]
