"""Find a backbone's initial weights: ImageNet's, else the starter's, else random."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import torch
import torchvision
from fastai.vision.learner import model_meta
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from kezako import environment
from kezako.errors import KezakoError
from kezako.proxies import urllib_asks_so

Origin = Literal["imagenet", "starter", "random"]
State = dict[str, torch.Tensor]
STARTER = "starter"  # the folder in models/
TIMEOUT = 15  # seconds without data before a download is given up

_PACKAGE = Path(__file__).parent.parent


@dataclass(frozen=True)
class Weights:
    """The initial weights of a backbone."""

    origin: Origin
    sentence: str  # for the report and the card
    state: State | None = field(default=None, repr=False)  # torchvision's keys

    @property
    def pretrained(self) -> bool:
        return self.state is not None


def find_weights(
    backbone: str,  # a torchvision name, such as "resnet18"
    models: Path,  # the workspace's models/, which may hold a starter
) -> Weights:
    """The best weights that are available.

    `KEZAKO_WEIGHTS` (imagenet, starter or random) allows only one kind. `KEZAKO_WEIGHTS_URL` is
    another URL to download ImageNet's from: that of a folder with torchvision's file, or of a
    `.pth` file with torchvision's keys. Raises `KezakoError` if the kind in `KEZAKO_WEIGHTS` is not
    available.
    """
    asked = environment.read("WEIGHTS")
    missing = []
    for origin, find in (("imagenet", _imagenet), ("starter", starter_weights)):
        if asked in (None, origin):
            found = find(backbone, models)
            if isinstance(found, Weights):
                return found
            missing.append(found)
    if asked in ("imagenet", "starter"):
        raise KezakoError(missing[0])
    missing.append("Training starts from random weights, which needs many more pictures.")
    return Weights("random", " ".join(missing))


def make_backbone(name: str, weights: Weights) -> Callable[..., nn.Module]:
    """An architecture for `vision_learner` that starts from `weights`."""
    architecture = getattr(torchvision.models, name)

    def backbone(weights: object = None, _start: State | None = weights.state) -> nn.Module:
        model: nn.Module = architecture()
        if _start is not None:
            body = {key: value for key, value in _start.items() if not key.startswith("fc.")}
            model.load_state_dict(body, strict=False)
        return model

    model_meta[backbone] = model_meta[architecture]  # cut, split and normalisation
    return backbone


def _imagenet(backbone: str, models: Path) -> Weights | str:
    weights: Any = torchvision.models.get_model_weights(backbone).DEFAULT
    url = download_address(weights.url)
    name = Path(urlsplit(url).path).name  # like resnet18-f37072fd.pth
    cached = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not cached.is_file():
        cached.parent.mkdir(parents=True, exist_ok=True)
        checksum = re.search(r"-([0-9a-f]{8,})\.", name)
        try:
            with _timeout(TIMEOUT), urllib_asks_so():
                torch.hub.download_url_to_file(url, str(cached), checksum and checksum[1])
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "reason", None) or error
            return f"ImageNet's weights could not be had from {url} ({reason})."
    try:
        state = torch.load(cached, map_location="cpu", weights_only=True)
        _check(state, backbone)
    except Exception as error:
        return f"The weights in {cached} cannot be read ({error}). Delete that file to try again."
    return Weights("imagenet", f"Started from ImageNet's weights ({name}).", state)


def download_address(official: str) -> str:
    """The URL of ImageNet's weights; `official` unless `KEZAKO_WEIGHTS_URL` is set."""
    other = environment.read("WEIGHTS_URL")
    if not other or other.endswith(".pth"):
        return other or official
    return f"{other.rstrip('/')}/{Path(urlsplit(official).path).name}"


def starter_weights(backbone: str, models: Path) -> Weights | str:
    """Kezako's own weights, or a sentence that says why there are none."""
    for folder in (models / STARTER, _PACKAGE.parent / "models" / STARTER, _PACKAGE / STARTER):
        path = folder / f"{backbone}.safetensors"
        if path.is_file():
            break
    else:
        return f"There are no starter weights for {backbone}."
    try:
        state = {
            key: value.float() if value.is_floating_point() else value
            for key, value in load_file(path).items()
        }
        _check(state, backbone)
    except (OSError, SafetensorError, ValueError) as error:
        return f"The starter weights in {path} cannot be read ({error})."
    return Weights(
        "starter",
        f"Started from Kezako's own starter weights, {_why_starter()}; models that start from "
        "ImageNet's usually err less.",
        state,
    )


def _why_starter() -> str:
    asked = environment.read("WEIGHTS") == STARTER
    return "as KEZAKO_WEIGHTS asks" if asked else "because ImageNet's could not be had"


def _check(state: State, backbone: str) -> None:
    expected = getattr(torchvision.models, backbone)().state_dict()
    wrong = [
        key
        for key, value in expected.items()
        if not key.startswith("fc.") and (key not in state or state[key].shape != value.shape)
    ]
    if wrong:
        raise KezakoError(f"they are not for {backbone}: {wrong[0]} does not fit")


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    # torch.hub's download has no timeout, and would hang if the network is silent.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
