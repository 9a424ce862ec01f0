"""The known families of networks are built anew from their weights, and compute the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import nn

import kezako.train  # noqa: F401  (before torchvision)
from kezako.importer.allowlist import Refused
from kezako.importer.backbone import body_and_head, tells_why
from kezako.importer.container import open_export
from kezako.importer.layers import build

from fastai.vision.all import (  # isort: skip
    create_body, create_head, create_timm_model, xresnet18,
)  # fmt: skip
from torchvision import models  # isort: skip
from torchvision.models import resnet  # isort: skip
from torchvision.models.convnext import CNBlockConfig, ConvNeXt  # isort: skip
from torchvision.models.efficientnet import FusedMBConvConfig  # isort: skip

# Of each family a small member -> where fastai cuts it (None: at its last pooling), and channels.
BODIES: dict[str, tuple[Callable[[], nn.Module], int | None, int]] = {
    "resnet": (lambda: resnet.ResNet(resnet.Bottleneck, [1, 1, 1, 1]), -2, 2048),
    "squeezenet": (models.squeezenet1_1, -1, 512),
    "densenet": (lambda: models.DenseNet(8, (2, 2), 16), -1, 32),
    "mobilenet 2": (models.mobilenet_v2, -1, 1280),
    "mobilenet 3": (models.mobilenet_v3_small, None, 576),
    "efficientnet": (models.efficientnet_b0, None, 1280),
    "efficientnet 2": (lambda: fused(), None, 32),
    "convnext": (lambda: ConvNeXt([CNBlockConfig(16, 32, 2), CNBlockConfig(32, None, 1)]),
                 None, 32),
    "regnet": (models.regnet_y_400mf, None, 440),
    "shufflenet": (models.shufflenet_v2_x0_5, -1, 1024),
    "vgg": (lambda: models.VGG(nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(),
                                             nn.MaxPool2d(2)), 2, init_weights=False), -2, 16),
}  # fmt: skip


def fused() -> nn.Module:
    """An efficientnet of the second kind, with two blocks."""
    blocks = [FusedMBConvConfig(1, 3, 1, 16, 16, 1), FusedMBConvConfig(4, 3, 2, 16, 16, 1)]
    return models.EfficientNet(blocks, dropout=0.1, last_channel=32)


def imported(network: nn.Module, folder: Path) -> nn.Module:
    torch.save(network, folder / "network.pth")
    export = open_export(folder / "network.pth")
    return build(export.root, export)


def same(first: nn.Module, second: nn.Module, size: int = 64) -> bool:
    pictures = torch.randn(2, 3, size, size)
    with torch.no_grad():
        return torch.allclose(first.eval()(pictures), second(pictures), atol=1e-5)


@pytest.mark.parametrize("name", BODIES)
def test_a_body_with_a_head_computes_the_same(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    make, cut, channels = BODIES[name]
    body = create_body(make(), pretrained=False, cut=cut)
    network = nn.Sequential(body, create_head(channels, 3))
    unsettle(network)
    built = imported(network, tmp_path)
    assert same(network, built)
    whole = body_and_head(built)
    assert same(network, whole)
    assert tells_why(whole)


@pytest.mark.parametrize("make", [models.resnet18, xresnet18], ids=["resnet", "xresnet"])
def test_a_whole_network_is_parted_into_body_and_head(
    make: Callable[..., nn.Module], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = make()
    unsettle(network)
    whole = body_and_head(imported(network, tmp_path))
    assert same(network, whole)
    assert not tells_why(whole)


def test_a_layer_that_stands_in_two_places_is_counted_twice(tmp_path: Path) -> None:
    bend = nn.ReLU()
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), bend, nn.Linear(4, 4), bend, nn.Linear(4, 2))
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(*head))
    assert same(network, body_and_head(imported(network, tmp_path)))


def test_weights_in_half_precision_are_taken(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()).half()
    built = imported(network, tmp_path)
    assert same(network.float(), built)


# Of timm's resnet.py and convnext.py the variants that compute something else than the others,
# with few blocks: the second of a stage, which changes no size, is what all others repeat.
TIMM = (
    "resnet18", "resnet26d", "resnet50", "resnetblur18", "resnetaa34d", "seresnet18",
    "ecaresnet26t", "resnet50_gn", "convnext_atto", "convnext_atto_ols", "convnextv2_atto",
)  # fmt: skip


def small(name: str) -> dict[str, Any]:
    """Two blocks in the first stage, one in each of the others."""
    return {"depths" if name.startswith("convnext") else "layers": (2, 1, 1, 1)}


@pytest.mark.parametrize("name", TIMM)
def test_a_body_of_timms_computes_the_same(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, _ = create_timm_model(name, 3, pretrained=False, **small(name))
    unsettle(network)
    built = imported(network, tmp_path)
    assert same(network, built)
    whole = body_and_head(built)
    assert same(network, whole)
    assert tells_why(whole)


@pytest.mark.parametrize("name", ["resnet18", "resnet50_gn", "convnext_atto", "convnextv2_atto",
                                  "convnext_tiny_hnf"])  # fmt: skip
def test_a_whole_network_of_timms_computes_the_same(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = timm.create_model(
        name, num_classes=3, drop_rate=0.1, drop_path_rate=0.1, **small(name)
    )
    unsettle(network)
    whole = body_and_head(imported(network, tmp_path))
    assert same(network, whole)
    assert whole[1][-1].out_features == 3


def test_another_network_of_timms_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="resnet and convnext are taken, not vision_transformer"):
        imported(timm.create_model("vit_tiny_patch16_224", num_classes=2), tmp_path)


def unsettle(network: nn.Module) -> None:
    """Give something to do to what does nothing in a new network."""
    for name, values in [*network.named_parameters(), *network.named_buffers()]:
        if values.is_floating_point() and not name.endswith("filt"):
            with torch.no_grad():
                values.mul_(1 + 0.2 * torch.rand_like(values)).add_(0.01 * torch.rand_like(values))
