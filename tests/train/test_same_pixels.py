"""One picture is the same pixels to gathering, training, the page, the API and a whole folder."""

from __future__ import annotations

import ast
import struct
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fastai.vision.all import PILImage, PILImageBW
from PIL import Image

from kezako.gather.check import LONGEST, Checked, check
from kezako.model.bundle import Preprocessing
from kezako.model.classifier import Classifier, prepare
from kezako.page.photo import PREVIEW, preview
from kezako.pictures import open_picture, shrink
from kezako.worker.process import ModelCache, answer
from tests import profiles
from tests.page.photos import encoded, same_pixels
from tests.pictures.test_depth import as_png, as_tiff, ramp

FILM = (b"a film\xff\xda\0\x08\xff\xd9" * 3000) + bytes(999)


def scene(size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Soft, as photos are, and brighter to the left."""
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    planes = 250 - 200 * x, 60 + 120 * y, 90 + 90 * np.sin(5 * x) * y
    return Image.fromarray(np.stack(planes, 2).astype(np.uint8))


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def multiplied() -> bytes:
    stored = bytearray(encoded(scene().convert("LA"), "TIFF"))
    stored[stored.index(struct.pack("<HHI", 338, 3, 1)) + 8] = 1  # mode La
    return bytes(stored)


photo = cache(scene)
FILES: dict[str, Callable[[], bytes]] = {
    "plain": lambda: encoded(photo(), "JPEG", quality=95),
    "small and plain": lambda: encoded(scene((200, 150)), "JPEG", quality=95),
    "large": lambda: encoded(scene((3000, 2000)), "JPEG", quality=95),
    "of a phone": lambda: encoded(photo(), "JPEG", quality=95, icc_profile=profiles.display_p3()),
    "huge, of a phone": lambda: encoded(
        scene((3000, 2000)), "JPEG", icc_profile=profiles.display_p3()
    ),
    "small, of a camera": lambda: encoded(
        scene((200, 150)), "JPEG", icc_profile=profiles.adobe_rgb()
    ),
    "in sRGB's words": lambda: encoded(photo(), "JPEG", icc_profile=profiles.srgb()),
    "for print": lambda: encoded(photo().convert("CMYK"), "JPEG", icc_profile=profiles.press()),
    "for print, unsaid": lambda: encoded(photo().convert("CMYK"), "JPEG"),
    "grey": lambda: encoded(photo().convert("L"), "JPEG", icc_profile=profiles.grey(1.8)),
    "turned": lambda: encoded(photo(), "JPEG", exif=turned(6)),
    "broken exif": lambda: encoded(photo(), "JPEG", exif=b"Exif\0\0XX*\0" + bytes(50)),
    "in motion": lambda: encoded(photo(), "JPEG", quality=95) + FILM,
    "12 bits": lambda: as_png(ramp(12, 3), 2),
    "14 bits": lambda: as_tiff(ramp(14, 3), ">", packed=True),
    "10 bits of grey": lambda: as_png(ramp(10, 1), 0),
    "multiplied": multiplied,
    "clear": lambda: encoded(
        photo().convert("RGBA").rotate(20), "PNG", icc_profile=profiles.adobe_rgb()
    ),
    "apple": lambda: encoded(photo(), "HEIF", icc_profile=profiles.display_p3(), exif=turned(8)),
    "palette": lambda: encoded(photo().quantize(32), "PNG"),
}
HOW = Preprocessing(48, "squish")


@pytest.fixture(scope="module")
def a_classifier(
    tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]
) -> tuple[Path, Classifier]:
    models = tmp_path_factory.mktemp("models")
    return models, Classifier.open(a_bundle(models, "colours", ("red", "green", "blue")))


@pytest.mark.parametrize("name", FILES)
def test_page_api_and_folder_see_the_same(
    name: str, a_classifier: tuple[Path, Classifier], tmp_path: Path
) -> None:
    models, classifier = a_classifier
    data = FILES[name]()
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    pixels = np.asarray(open_picture(data))
    for same in (memoryview(data), bytearray(data), path, str(path)):
        assert np.array_equal(np.asarray(open_picture(same)), pixels)
    api = answer(ModelCache(models, 1), ["colours"], data)
    page = classifier.predict(memoryview(data))
    assert api["probabilities"] == pytest.approx(dict(page.probabilities))
    shown = preview(data)
    assert same_pixels(shown, shrink(open_picture(data), PREVIEW))
    assert np.abs(prepare(shown, HOW) - prepare(data, HOW)).max() < 4 / 255 / min(HOW.std)


@pytest.mark.parametrize("name", FILES)
def test_training_sees_what_the_page_sees(name: str, tmp_path: Path) -> None:
    data = FILES[name]()
    kept = check(data)
    assert isinstance(kept, Checked)
    # One that fits is left in its place as it is, whatever is written in it beside the pixels.
    (tmp_path / "kept.jpg").write_bytes(data if kept.fits else kept.jpeg)
    learnt = PILImage.create(tmp_path / "kept.jpg")
    assert same_pixels(learnt, open_picture(tmp_path / "kept.jpg"))
    learnt_in_grey = PILImageBW.create(tmp_path / "kept.jpg")
    assert same_pixels(learnt_in_grey, open_picture(tmp_path / "kept.jpg", "L"))
    seen = np.asarray(shrink(open_picture(data), LONGEST), float)
    assert np.abs(np.asarray(learnt, float) - seen).mean() < 3  # of 255, for the JPEG it became
    grey = replace(HOW, mode="L")
    for how in (HOW, grey):
        assert np.abs(prepare(data, how) - prepare(learnt, how)).mean() < 3 / 255 / min(how.std)


def test_what_fits_already_is_plain() -> None:
    fits = {name for name, make in FILES.items() if getattr(check(make()), "fits", False)}
    assert fits == {"small and plain"}


def test_nothing_else_opens_what_strangers_send() -> None:
    """Gathered pictures, which are plain already, may be looked at by other means."""
    package = Path(__file__).resolve().parents[2] / "kezako"
    openers = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open":
                openers.add(path.relative_to(package).as_posix())
    assert openers == {
        "pictures/__init__.py",
        "gather/check.py",
        "clean/copies.py",
        "dataset/hashes.py",
        "export/cover.py",  # the export's own examples
        "serve/cards.py",  # the size of a cover, from the header of a JPEG
    }
