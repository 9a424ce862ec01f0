"""Split any known network into body and head, as bundles need it; and fold in batch resizing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import kezako.train  # noqa: F401  (before torchvision)
from kezako.importer import timm
from kezako.importer.allowlist import Refused
from kezako.importer.transforms import Shrink

from fastai import layers as fastai_layers  # isort: skip
from fastai.vision.augment import TensorImage  # isort: skip  (it has `affine_coord` from there)
from torchvision.models.resnet import ResNet  # isort: skip

_FLAT = (nn.Flatten, fastai_layers.Flatten)
_POOLS = (fastai_layers.AdaptiveConcatPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d,
          nn.AvgPool2d)  # fmt: skip
_AT_ONCE = 32  # rows of the resizing matrix that are computed together


def body_and_head(model: nn.Module) -> nn.Sequential:
    """`model` as Sequential(body, Sequential(pool, flatten, ...)).

    Raises `Refused` if it cannot be split into a body and a head.
    """
    if isinstance(model, timm.Network):
        model = model.parted()
    if isinstance(model, ResNet):
        parts = dict(model.named_children())
        fully = parts.pop("fc", None)
        pool = parts.pop("avgpool", None)
        if fully is None or pool is None:
            raise Refused("The network is a ResNet without its last layers.")
        return nn.Sequential(
            nn.Sequential(*parts.values()), nn.Sequential(pool, nn.Flatten(), fully)
        )
    layers = list(model.children()) if isinstance(model, nn.Sequential) else []
    if len(layers) == 2 and isinstance(layers[1], nn.Sequential):
        body, head = layers[0], list(layers[1].children())
    else:
        body, head = nn.Sequential(), layers
    at = next((i for i, layer in enumerate(head) if isinstance(layer, _FLAT)), None)
    if at is None:
        raise Refused(
            "The network is not of the kind that vision_learner makes, a body and then a head "
            "that pools and flattens; only those can be put on a page."
        )
    pooled = at > 0 and isinstance(head[at - 1], _POOLS)
    before = head[: at - 1] if pooled else head[:at]
    pool = head[at - 1] if pooled else nn.Identity()
    whole = nn.Sequential(body, *before) if before else body
    return nn.Sequential(whole, nn.Sequential(pool, *head[at:]))


def tells_why(model: nn.Sequential) -> bool:
    """Whether the head pools as `why` needs it: maximum, then mean, of each channel."""
    head = model[1]
    assert isinstance(head, nn.Sequential)
    pool = head[0]
    return isinstance(pool, fastai_layers.AdaptiveConcatPool2d) and pool.size in (1, None, (1, 1))


class FirstChannel(nn.Module):
    """Gives a greyscale network one of the page's three equal channels."""

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures[:, :1]  # (N, 3, S, S) -> (N, 1, S, S)


class Shrunk(nn.Module):
    """A linear map of rows and columns, equal to fastai's resizing of whole batches."""

    def __init__(self, rows: Tensor):  # (T, S), from S to T pixels a side
        super().__init__()
        self.register_buffer("rows", rows)

    def forward(self, pictures: Tensor) -> Tensor:
        rows = self.get_buffer("rows")
        return rows @ pictures @ rows.T  # (N, 3, S, S) -> (N, 3, T, T)


def shrinking(size: int, shrinks: tuple[Shrink, ...]) -> Tensor | None:
    """The resizing matrix (T, S) of all `shrinks` for pictures of side `size`; None without any.

    Raises `Refused` if the resizing would pad with black.
    """
    rows = None
    for shrink in shrinks:
        step = _rows(size, shrink)
        rows = step if rows is None else step @ rows
        size = shrink.size
    if rows is not None and (rows.sum(1) - 1).abs().max() > 1e-4:
        raise Refused("The file's pictures get a dark edge from aug_transforms, the page's none.")
    return rows


def _rows(size: int, shrink: Shrink) -> Tensor:
    # Computed by fastai itself, row by row: in each picture all columns are the same row of the
    # identity matrix.
    kept = int(size * shrink.part)
    start = (size - kept) // 2
    columns = []
    for first in range(0, size, _AT_ONCE):
        rows = torch.eye(size)[first : first + _AT_ONCE]  # (n, S)
        pictures = rows[:, None, :, None].expand(-1, 1, size, size)
        cut = pictures[..., start : start + kept, start : start + kept]
        shrunk = TensorImage(cut.contiguous()).affine_coord(
            sz=shrink.size, mode=shrink.mode,
            pad_mode=shrink.pad_mode, align_corners=shrink.align_corners,
        )  # fmt: skip
        columns.append(torch.as_tensor(shrunk)[:, 0, :, shrink.size // 2])  # (n, T)
    return torch.Tensor(torch.cat(columns)).T.contiguous()


def prepared(model: nn.Sequential, size: int, shrinks: tuple[Shrink, ...]) -> nn.Sequential:
    """Body and head, with the first layers that the page's pictures (N, 3, S, S) need."""
    body, head = model
    first: list[nn.Module] = [FirstChannel()] if _channels(body) == 1 else []
    rows = shrinking(size, shrinks)
    if rows is not None:
        first.append(Shrunk(rows))
    return nn.Sequential(nn.Sequential(*first, body) if first else body, head).eval()


def _channels(body: nn.Module) -> int:
    convolution = next((layer for layer in body.modules() if isinstance(layer, nn.Conv2d)), None)
    if convolution is None:
        raise Refused("The network has no convolution, so it is none for pictures.")
    return convolution.in_channels


class Divided(nn.Module):
    """Divides logits by the temperature, as the last layer of a head."""

    def __init__(self, temperature: float):
        super().__init__()
        self.temperature = temperature

    def forward(self, logits: Tensor) -> Tensor:
        return logits / self.temperature
