"""Build a network from its records, using only layers that are supported here.

Only numbers are taken from the file: each layer is made by its own constructor or class, with
sizes and settings that are plain values, and its weights are copied in. Anything that would run
besides a layer's own code (a hook, a replaced `forward`, a parametrisation) is refused by name.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from kezako.importer.allowlist import Refused, short
from kezako.importer.container import Export
from kezako.importer.known import WRAPPERS, Kind, kind_of, simple_of
from kezako.importer.records import Name, Record, as_dict, attributes, path_of
from kezako.importer.tensors import to_plain, to_tensor

MAX_LAYERS = 5000  # of a network; densenet201 has 700
MAX_DEPTH = 40  # of layers within layers
MAX_NUMBERS = 400_000_000  # weights; an ONNX file cannot hold more than 2 GB
_GROUPS = ("_modules", "_parameters", "_buffers")
MAX_PARTS = 1_000_000  # attributes and children of all layers; densenet201 has 40,000


def build(record: Any, export: Export) -> nn.Module:
    """The network that `record` describes, in eval mode. Raises `Refused`."""
    return _Builder(export).build(record, "model", 0).float().eval()


class _Builder:
    """Makes a new layer for each place: `children()` would skip a layer that is used twice."""

    def __init__(self, export: Export):
        self._export = export
        self._layers = self._numbers = self._parts = 0

    def build(self, record: Any, place: str, depth: int) -> nn.Module:
        self._layers += 1
        if self._layers > MAX_LAYERS or depth > MAX_DEPTH:
            raise Refused("The file is refused: its network has more layers than any has.")
        kind, held = path_of(record), attributes(record)
        # A file can use one layer in any number of places, and make it as large as it likes.
        self._parts += sum(len(as_dict(held.get(group))) for group in _GROUPS) + len(held)
        if self._parts > MAX_PARTS:
            raise Refused("The file is refused: its network has more parts than any has.")
        if not isinstance(record, Record) or not held:
            raise Refused(f"Where a layer should be ({place}), the file holds a {short(kind)}.")
        if kind in WRAPPERS:
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
        known = kind_of(kind)
        made = simple_of(kind) if known is None else known.made
        if made is None:
            raise Refused(_unknown(kind, place))
        _check(made, held, place)
        return _construct(made, held, place) if known is None else self._shaped(known, held, place)

    def _shaped(self, known: Kind, held: dict[str, Any], place: str) -> nn.Module:
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
        """Copy the weights in; those of a constructed layer must have matching shapes."""
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
        # The "meta" device takes no memory, whatever sizes the file claims; weights are checked
        # later.
        with torch.device("meta"):
            layer = made(**arguments)
    except Exception as error:
        raise Refused(
            f"The file is damaged: {place} cannot be a {made.__name__} ({type(error).__name__})."
        ) from error
    return layer


def _plain(value: Any, place: str) -> Any:
    """A number, string, boolean or tuple of these. Raises `Refused` for anything else."""
    plain = to_plain(value)
    parts = plain if isinstance(plain, tuple) else (plain,)
    if len(parts) > 16 or not all(
        part is None or isinstance(part, int | float) or (isinstance(part, str) and len(part) < 40)
        for part in parts
    ):
        raise Refused(f"The file is refused: {place} has a setting that is no plain value.")
    return plain


def _check(made: type[nn.Module], held: dict[str, Any], place: str) -> None:
    """Raise `Refused` for anything that would run besides the layer's own code."""
    for key, value in held.items():
        if "hook" in key:
            if given := list(as_dict(value).values()):
                raise Refused(
                    f"The layer {place} carries a hook ({short(path_of(given[0]))}), code that "
                    "would run with it: refused; no code in it ran."
                )
        # From fastcore: the arguments that a layer was made with.
        elif key != "__stored_args__" and (
            key.startswith("__")
            or (callable(getattr(made, key, None)) and isinstance(value, Name | Record))
        ):
            raise Refused(
                f"The layer {place} replaces its {short(key)} by {short(path_of(value))}: refused; "
                "no code in it ran."
            )
    for key in as_dict(held.get("_modules")):
        if callable(getattr(made, str(key), None)):
            raise Refused(f"The layer {place} replaces its {short(str(key))}: refused.")


def _unknown(kind: str, place: str) -> str:
    if kind.startswith("timm."):
        family = kind.removeprefix("timm.models.").removeprefix("timm.").partition(".")[0]
        why = f"Of timm's networks resnet and convnext are taken, not {short(family)}"
    elif kind.startswith("fastai.") and "SigmoidRange" in kind:
        return "The learner is no classifier: it predicts numbers in a range (SigmoidRange)."
    else:
        why = "It is no layer of the networks that are known here"
    return (
        f"The layer {place} is a {short(kind)}. {why}. What can be taken is vision_learner with "
        "resnet, xresnet, densenet, squeezenet, vgg, alexnet, mobilenet, efficientnet, convnext, "
        "regnet or shufflenet of torchvision or fastai, or with resnet or convnext of timm."
    )


__all__ = ["build"]
