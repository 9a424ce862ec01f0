"""A large photo is shrunk in the browser, and the classifier answers as for the whole file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from benchmarks.serving.camera import WAYS, taken
from kezako.gather.sample import CLASSES, draw_face
from kezako.model.classifier import Answer, Classifier
from kezako.pictures import ORIENTATION, open_picture
from tests import profiles
from tests.frontend.sources import prepared, with_sources
from tests.page.photos import PHOTOS, encoded

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SIZE = (1500, 1130)
NEAR = 1.0  # levels, on average over parts of the picture: what a JPEG changes
PARTS = 50  # of its longest side
LIGHT = 320_000  # bytes
EDGE = 0.008  # of the distance at which a picture becomes none of these: rounding decides there


@pytest.fixture(scope="module")
def a_source_page(one_desk: Page) -> Page:
    return with_sources(one_desk)


@pytest.fixture(scope="module")
def bears() -> Classifier:
    return Classifier.open(ROOT / "models" / "bears", threads=1)


@pytest.fixture(scope="module")
def small_photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photos of bears, else drawn faces."""
    found = sorted(PHOTOS.glob("bears/*/*.jpg"))
    if not found:
        folder = tmp_path_factory.mktemp("faces")
        for number in range(12):
            draw_face(CLASSES[number % len(CLASSES)], number).save(folder / f"{number}.png")
        found = sorted(folder.iterdir())
    return found


@pytest.mark.parametrize("number", range(12))
def test_the_answer_is_that_of_the_whole_file(
    number: int, small_photos: list[Path], bears: Classifier, a_source_page: Page
) -> None:
    name, photo = taken(number, small_photos, longest=2600)
    sent = prepared(a_source_page, name, photo)
    assert sent["type"] == "image/jpeg"
    assert max(opened(sent).size) == 1024
    whole, shrunk = bears.predict(photo), bears.predict(sent["content"])
    assert difference(whole, shrunk) < 0.05, WAYS[number % len(WAYS)]
    assert best(shrunk) == best(whole)
    far = [distance(bears, picture) for picture in (photo, sent["content"])]
    assert abs(far[0] - far[1]) < EDGE
    if abs(far[0] - float(bears.card.known or 0)) >= EDGE:
        assert shrunk.known == whole.known


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright_and_says_nothing_else(orientation: int, a_source_page: Page) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.25)
    photo = encoded(corners(), "JPEG", quality=99, exif=exif)
    sent = prepared(a_source_page, "photo.jpg", photo)
    assert not opened(sent).getexif()
    assert b"Exif" not in sent["content"]
    assert b"ICC_PROFILE" not in sent["content"]
    assert nearly(sent, photo)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("camera.jpg", {"icc_profile": profiles.adobe_rgb(), "quality": 99}),
        ("phone.jpg", {"icc_profile": profiles.display_p3(), "quality": 99}),
        ("large profile.jpg", {"icc_profile": profiles.matrix(
            profiles.ADOBE, profiles.power(2.2), more=bytes(150_000)), "quality": 99}),
        ("photo.png", {"icc_profile": profiles.adobe_rgb()}),
        ("photo.webp", {"icc_profile": profiles.display_p3(), "quality": 99}),
        ("photo.avif", {"icc_profile": profiles.adobe_rgb(), "quality": 99}),
    ],
)  # fmt: skip
def test_a_profile_is_applied_once(
    name: str, settings: dict[str, Any], a_source_page: Page
) -> None:
    format = {"jpg": "JPEG"}.get(name[-3:], name.rpartition(".")[2].upper())
    photo = encoded(corners(), format, **settings)
    sent = prepared(a_source_page, name, photo)
    assert opened(sent).info["icc_profile"] == settings["icc_profile"]
    assert nearly(sent, photo)


def test_what_is_transparent_is_white(a_source_page: Page) -> None:
    image = corners().convert("RGBA")
    image.putalpha(Image.radial_gradient("L").resize(image.size))
    photo = encoded(image, "PNG")
    assert nearly(prepared(a_source_page, "photo.png", photo), photo)


def turned_webp() -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return encoded(corners(), "WEBP", quality=99, exif=exif)


WHOLE = {
    "inks.jpg": lambda: encoded(corners().convert("CMYK"), "JPEG", quality=99),
    "grey.jpg": lambda: encoded(
        corners().convert("L"), "JPEG", quality=99, icc_profile=profiles.grey()
    ),
    "grey.png": lambda: encoded(corners().convert("L"), "PNG", icc_profile=profiles.grey()),
    "deep.png": lambda: encoded(
        Image.fromarray(np.asarray(corners().convert("L")).astype(np.uint16) * 16), "PNG"
    ),
    "turned.webp": turned_webp,
    "scan.tiff": lambda: encoded(corners(), "TIFF"),
    "phone.heic": lambda: encoded(corners(), "HEIF", quality=99),  # Chromium cannot open it
    "small.jpg": lambda: encoded(corners(), "JPEG", quality=40),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_browsers_read_otherwise_travels_whole(name: str, a_source_page: Page) -> None:
    photo = WHOLE[name]()
    assert (len(photo) > 300_000) == (name != "small.jpg")
    assert prepared(a_source_page, name, photo)["content"] == photo


def test_twelve_megapixels_travel_light(small_photos: list[Path], a_source_page: Page) -> None:
    name, photo = taken(0, small_photos, longest=4000)
    assert len(photo) > 1_000_000
    assert prepared(a_source_page, name, photo)["size"] < LIGHT


def test_without_a_worker_the_page_does_it_itself(a_desk: Page) -> None:
    a_desk.add_init_script("delete window.OffscreenCanvas")
    began: list[str] = []
    a_desk.on("worker", lambda worker: began.append(worker.url))
    page = with_sources(a_desk)
    photo = encoded(corners(), "JPEG", quality=99, icc_profile=profiles.adobe_rgb())
    sent = prepared(page, "photo.jpg", photo)
    assert max(opened(sent).size) == 1024
    assert nearly(sent, photo)
    assert began == []


def test_a_browser_that_hands_out_noise_sends_the_file(a_desk: Page) -> None:
    a_desk.add_init_script(
        """delete window.OffscreenCanvas;
        const read = CanvasRenderingContext2D.prototype.getImageData;
        CanvasRenderingContext2D.prototype.getImageData = function (...where) {
            const pixels = read.apply(this, where);
            pixels.data[0] ^= 1;
            return pixels;
        };"""
    )
    photo = encoded(corners(), "JPEG", quality=99)
    assert prepared(with_sources(a_desk), "photo.jpg", photo)["content"] == photo


def corners() -> Image.Image:
    """Other colours in each corner, saturated and dull, with a fine grain."""
    width, height = SIZE
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    colours = np.stack([40 + 200 * x, 220 - 180 * y, 30 + 150 * x * y], -1)
    grain = np.random.default_rng(1).normal(0, 12, (height, width, 1))
    return Image.fromarray(np.clip(colours + grain, 0, 255).astype(np.uint8))


def opened(sent: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(sent["content"]))


def nearly(sent: dict[str, Any], photo: bytes) -> bool:
    """Whether the server sees the same in what was sent as in the file."""
    ours, theirs = open_picture(sent["content"]), open_picture(photo)
    assert max(ours.size) == 1024
    assert abs(ours.width / ours.height - theirs.width / theirs.height) < 0.01
    size = [max(1, round(side * PARTS / 1024)) for side in ours.size]
    one, other = (
        np.asarray(image.resize((size[0], size[1]), Image.Resampling.BOX), int)
        for image in (ours, theirs)
    )
    return bool(np.abs(one - other).mean() < NEAR)


def difference(one: Answer, other: Answer) -> float:
    return max(abs(p - other.probabilities[label]) for label, p in one.probabilities.items())


def distance(classifier: Classifier, picture: bytes) -> float:
    return classifier.distance(classifier.run(classifier.prepare(picture)[None]))


def best(answer: Answer) -> str:
    return next(iter(answer.probabilities))
