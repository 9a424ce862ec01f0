"""Check whether training can start, and with which weights."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kezako.doctor.finding import Finding
from kezako.doctor.packages import install
from kezako.doctor.probe import ProbeFailed, ask
from kezako.proxies import opener
from kezako.workspace import Workspace

SECONDS = 6.0  # timeout for the host of the weights
BACKBONE = "resnet18"


def training(workspace: Workspace, offline: bool) -> Iterator[Finding]:
    """Findings of a subprocess that loads torch and fastai, and about weights."""
    try:
        found = ask(__name__, str(workspace.root))
    except ProbeFailed as failed:
        yield Finding("--", "training", f"not possible here: {failed}", install("train"))
        return
    yield Finding("ok", "training", f"torch and fastai load ({found['device']})")
    yield from _weights(found, offline)


def _weights(found: dict[str, Any], offline: bool) -> Iterator[Finding]:
    name = "ImageNet's weights"
    if found["is_cached"]:
        yield Finding("ok", name, f"are here: {found['cached']}")
    elif offline:
        yield Finding("--", name, "not here, and with --offline not asked for",
                      "kezako train downloads them (45 MB) when it can.")  # fmt: skip
    elif trouble := _unreachable(found["address"]):
        where = f"cannot be had from {found['address']}: {trouble}"
        yield Finding("--", name, where, f"Put that file into {found['cached']}, or name "
                      "another address in KEZAKO_WEIGHTS_URL.")  # fmt: skip
    else:
        yield Finding("ok", name, f"can be downloaded from {found['address']}")
    if found["starter"]:
        yield Finding("ok", "starter weights", "are here, for when ImageNet's are not")
    else:
        yield Finding("--", "starter weights", "are missing: without ImageNet's, training starts "
                      "from random ones", install())  # fmt: skip


def _unreachable(address: str) -> str:
    """Why the weights cannot be downloaded; empty if they can."""
    try:
        request = urllib.request.Request(address, method="HEAD")
        with opener().open(request, timeout=SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        return f"it answered {error.code} {error.reason}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", None) or error)


def main() -> None:
    """Run in a subprocess; prints JSON."""
    from kezako.train import weights  # first: torchvision's build may not match torch's

    import fastai.vision.all  # noqa: F401  isort: skip - the notebook's own import
    import torch
    import torchvision

    official = torchvision.models.get_model_weights(BACKBONE).DEFAULT.url
    address = weights.download_address(official)
    cached = Path(torch.hub.get_dir()) / "checkpoints" / address.rsplit("/", 1)[-1]
    os.environ.pop("KEZAKO_WEIGHTS", None)
    starter = weights.starter_weights(BACKBONE, Path(sys.argv[1]) / "models")
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"
    print(
        json.dumps(
            {
                "device": device,
                "address": address,
                "cached": str(cached),
                "is_cached": cached.is_file(),
                "starter": isinstance(starter, weights.Weights),
            }
        )
    )
