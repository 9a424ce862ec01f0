"""Features of every picture from the pretrained weights, cached.

The fine-tuned model is not used: it has memorised the wrong labels.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from tqdm.auto import tqdm

from kezako.clean.copies import find_copies
from kezako.clean.evidence import Integers
from kezako.clean.image_quality import Look, look_at
from kezako.dataset.row import Row
from kezako.model.bundle import Preprocessing
from kezako.model.classifier import prepare
from kezako.pictures import NotAPicture, open_picture
from kezako.recipe import Recipe
from kezako.train.weights import Weights, find_weights, make_backbone
from kezako.workspace import Workspace

CACHE = "features.npz"
FORMAT = 1  # change it when features or looks are computed differently
BATCH = 32
SAVED_EVERY = 640  # pictures: a kill loses at most these, about ten seconds

# Pixels a side. The starter weights were trained at up to 96 px: there they find 88 % of flipped
# labels, at 128 px 87 %, at 192 px 85 %. ImageNet's were trained at 224 px; 160 takes half the
# time.
SIZES = {"imagenet": 160, "starter": 96, "random": 96}


@dataclass(frozen=True)
class Features:
    """The measurements of N pictures."""

    views: npt.NDArray[np.float32]  # (2, N, F): of the picture and of its mirror image
    looks: npt.NDArray[np.float32]  # (N, 2): the columns of `Look`
    copies: Integers  # (K, 2): pairs that show the same photo, as indices


def measure(
    recipe: Recipe, workspace: Workspace, rows: Iterable[Row]
) -> tuple[list[Row], list[Row], Features]:
    """Rows whose pictures can be opened, rows whose cannot, and measurements of the former."""
    cache = _Cache(recipe, workspace)
    readable, unreadable = cache.fill(list(rows))
    views, looks = cache.of(readable)
    copies = find_copies(workspace.folder(recipe.name), readable, views)
    return readable, unreadable, Features(views, looks, copies)


class _Cache:
    """The cache `data/NAME/features.npz`, by SHA-256; if it is lost, it is computed again."""

    def __init__(self, recipe: Recipe, workspace: Workspace):
        self._recipe, self._folder = recipe, workspace.folder(recipe.name)
        self._weights = find_weights(recipe.backbone, workspace.models)
        self._how = Preprocessing(
            SIZES[self._weights.origin], "squish", mode="RGB" if recipe.colour else "L"
        )  # squish: nothing may be cropped before a picture is checked
        self._key = "/".join(
            map(str, (FORMAT, recipe.backbone, self._weights.origin, self._how.size, recipe.colour))
        )
        self._known: dict[str, tuple[npt.NDArray[np.float16], npt.NDArray[np.float32]]] = {}
        self._read()

    def fill(self, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        """Measure what is missing; returns rows that could be opened, and rows that could not."""
        wanted = {str(row.sha256): row for row in rows if row.sha256 not in self._known}
        if wanted:
            self._measure(list(wanted.values()))
        readable = [row for row in rows if row.sha256 in self._known]
        return readable, [row for row in rows if row.sha256 not in self._known]

    def of(self, rows: list[Row]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Views (2, N, F) and looks (N, 2) of pictures that `fill` has measured."""
        known = [self._known[str(row.sha256)] for row in rows]
        views = np.stack([views for views, _ in known], axis=1).astype(np.float32)
        return views, np.stack([looks for _, looks in known])

    def _measure(self, rows: list[Row]) -> None:
        network = _Backbone(self._recipe.backbone, self._weights)
        unsaved = 0
        with tqdm(total=len(rows), desc="looking at pictures", unit="picture") as bar:
            for batch in _batches(rows):
                opened = [(row, seen) for row in batch if (seen := self._open(row)) is not None]
                if opened:
                    views = network(np.stack([pixels for _, (pixels, _) in opened]))  # (2, B, F)
                    for i, (row, (_, look)) in enumerate(opened):
                        looks = np.array(look, dtype=np.float32)
                        self._known[str(row.sha256)] = views[:, i].astype(np.float16), looks
                unsaved += len(opened)
                bar.update(len(batch))
                if unsaved >= SAVED_EVERY:
                    self._keep()
                    unsaved = 0
        if unsaved:
            self._keep()

    def _open(self, row: Row) -> tuple[npt.NDArray[np.float32], Look] | None:
        try:
            image = open_picture(self._folder / str(row.file))
        except NotAPicture:
            return None
        return prepare(image, self._how), look_at(image)

    def _read(self) -> None:
        try:
            # Opened here, because numpy leaves a file open that it cannot read.
            with (
                (self._folder / CACHE).open("rb") as file,
                np.load(file, allow_pickle=False) as arrays,
            ):
                if str(arrays["key"]) != self._key:
                    return
                hashes, views, looks = arrays["sha256"], arrays["views"], arrays["looks"]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return
        if len(hashes) == len(views) == len(looks) and np.isfinite(views).all():
            self._known = {
                str(sha256): (seen, look)
                for sha256, seen, look in zip(hashes, views, looks, strict=True)
            }

    def _keep(self) -> None:
        with suppress(OSError):  # the folder is read-only or the disk is full
            self._write()

    def _write(self) -> None:
        views, looks = zip(*self._known.values(), strict=True)
        handle, staged = tempfile.mkstemp(prefix=".features-", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(
                    file, key=np.array(self._key), sha256=np.array(list(self._known)),
                    views=np.stack(views), looks=np.stack(looks),
                )  # fmt: skip
            os.replace(staged, self._folder / CACHE)
        finally:
            Path(staged).unlink(missing_ok=True)


class _Backbone:
    """The last two stages of a ResNet, each pooled by mean and by maximum.

    Either of the two stages alone finds fewer wrong labels.
    """

    def __init__(self, name: str, weights: Weights):
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        network: Any = make_backbone(name, weights)()
        network.fc = nn.Identity()
        self._network = network.eval().to(self._device, memory_format=torch.channels_last)

    def __call__(self, pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Features (2, N, F) of pictures (N, 3, S, S) and of their mirror images."""
        batch = torch.from_numpy(pictures).to(self._device, memory_format=torch.channels_last)
        with torch.inference_mode():
            views = [self._features(view) for view in (batch, batch.flip(3))]
        return np.stack([view.float().cpu().numpy() for view in views])

    def _features(self, x: torch.Tensor) -> torch.Tensor:
        net = self._network
        x = net.maxpool(net.relu(net.bn1(net.conv1(x))))  # (N, 64, S / 4, S / 4)
        third = net.layer3(net.layer2(net.layer1(x)))
        stages = (third, net.layer4(third))
        return torch.cat([p for s in stages for p in (s.mean((2, 3)), s.amax((2, 3)))], 1)


def _batches(rows: list[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch
