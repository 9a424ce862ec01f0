"""A small gathered data set of drawn pictures, for tests of what cleaning does to it."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from kezako.dataset import split
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.pictures import perceptual_hash
from kezako.recipe import Recipe
from kezako.workspace import Workspace

COLOURS = {"red": (200, 40, 40), "green": (40, 160, 60), "blue": (40, 60, 200)}


def a_picture(colour: str, seed: int, side: int = 160) -> bytes:
    """The JPEG of a pattern of blocks in one colour; another seed, another pattern."""
    chance = np.random.default_rng([seed, *colour.encode()])
    blocks = chance.uniform(0.3, 1.0, (8, 8, 1)) * np.array(COLOURS[colour])  # (8, 8, 3)
    image = Image.fromarray(blocks.astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    return as_jpeg(image)


def add_picture(manifest: Manifest, folder: str, jpeg: bytes, url: str | None = None) -> Row:
    """Keep `jpeg` in the class `folder`, as gathering does."""
    image = Image.open(io.BytesIO(jpeg))
    sha256 = hashlib.sha256(jpeg).hexdigest()
    row = Row(folder, url=url, source="folder", sha256=sha256, phash=perceptual_hash(image))
    row.width, row.height = image.size
    manifest.store(row, jpeg)
    return row


def fill(
    workspace: Workspace,
    name: str = "colours",
    each: int = 15,
    title: str = "",
    task: str = "single",
) -> Recipe:
    """A recipe of red, green and blue with `each` pictures a class, gathered and split."""
    key = (name, each, title, task)
    if key not in _MADE:
        _MADE[key] = tempfile.TemporaryDirectory()
        _fill(Workspace(Path(_MADE[key].name)), *key)
    made = Workspace(Path(_MADE[key].name)).folder(name)
    shutil.copytree(made, workspace.folder(name))
    return workspace.recipe(name)


_MADE: dict[tuple[str, int, str, str], tempfile.TemporaryDirectory[str]] = {}


def _fill(workspace: Workspace, name: str, each: int, title: str, task: str) -> None:
    folder = workspace.folder(name)
    folder.mkdir(parents=True)
    classes = "".join(f'{colour} = ["{colour}"]\n' for colour in COLOURS)
    text = f'title = "{title or "Which colour?"}"\ntask = "{task}"\n[classes]\n{classes}'
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    recipe = workspace.recipe(name)
    with Manifest(folder) as manifest:
        for colour in COLOURS:
            for seed in range(each):
                url = f"https://pictures.example/{colour}/{seed}.jpg"
                add_picture(manifest, colour, a_picture(colour, seed), url)
        split.group(manifest)
        split.divide(manifest, recipe)


def a_scene(seed: int) -> Image.Image:
    """Something with detail of many sizes, as photographs have."""
    chance = np.random.default_rng(seed)
    pixels = np.zeros((240, 320))
    for side in (4, 8, 16, 32):
        noise = Image.fromarray(chance.uniform(0, 255, (side * 3 // 4, side)).astype(np.uint8))
        pixels += np.asarray(noise.resize((320, 240), Image.Resampling.BICUBIC)) / 4
    return Image.fromarray(pixels.astype(np.uint8)).convert("RGB")


def as_jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()
