"""The classifier answers as fastai's own `learn.predict` does, for every way to see a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fastai.vision.all import (
    DataBlock,
    ImageBlock,
    Normalize,
    PadMode,
    PILImage,
    PILImageBW,
    RandomResizedCrop,
    Resize,
    ResizeMethod,
    imagenet_stats,
)
from PIL import Image

from kezako.gather.sample import draw_face
from kezako.model.bundle import Preprocessing
from kezako.model.classifier import prepare

SIZE = 96
METHODS = {
    "crop": Resize(SIZE, ResizeMethod.Crop),
    "squish": Resize(SIZE, ResizeMethod.Squish),
    "pad": Resize(SIZE, ResizeMethod.Pad, pad_mode=PadMode.Reflection),
    "random-crop": RandomResizedCrop(SIZE, min_scale=0.5),
}


@pytest.fixture(scope="module")
def odd_shapes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Drawn pictures, wide, tall, tiny, square, and of sizes that divide badly."""
    folder = tmp_path_factory.mktemp("shapes")
    sizes = [(501, 333), (333, 501), (97, 96), (96, 97), (40, 30), (300, 300), (512, 11), (7, 300)]
    paths = []
    for number, size in enumerate(sizes):
        paths.append(folder / f"{number}.png")
        draw_face("happy", number).resize(size).save(paths[-1])
    return paths


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("method", METHODS)
def test_prepare_equals_the_validation_transforms(
    method: str, mode: str, odd_shapes: list[Path], some_photos: dict[str, list[Path]]
) -> None:
    paths = odd_shapes + [photo for photos in some_photos.values() for photo in photos[:4]]
    block = DataBlock(
        ImageBlock(PILImage if mode == "RGB" else PILImageBW),
        splitter=lambda items: ([0], list(range(len(items)))),
        item_tfms=METHODS[method],
        batch_tfms=Normalize.from_stats(*imagenet_stats),
        n_inp=1,
    )
    loaders = block.dataloaders(paths, bs=len(paths), num_workers=0)
    theirs = loaders.valid.one_batch()[0].numpy()  # (N, 3, S, S)
    how = Preprocessing(SIZE, method, mode)  # type: ignore[arg-type]
    ours = np.stack([prepare(path, how) for path in paths])
    assert theirs.shape == ours.shape
    assert np.abs(theirs - ours).max() < 1e-5


def test_a_turned_photo_is_seen_upright(tmp_path: Path) -> None:
    upright = draw_face("sad", 1).resize((120, 90))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    how = Preprocessing(64, "squish")
    assert np.array_equal(prepare(upright, how), prepare(tmp_path / "turned.png", how))
