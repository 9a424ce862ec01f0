"""Every format a photo comes in is kept alike; what is none is told why."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from kezako.gather.check import LONGEST, Checked, Reject, check
from tests.gather.saved import encoded, jpeg, picture

pillow_heif.register_heif_opener()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "HEIF", "AVIF"])
def test_each_format_becomes_an_rgb_jpeg(kind: str) -> None:
    kept = check(encoded(picture(), kind))
    assert isinstance(kept, Checked)
    image = Image.open(io.BytesIO(kept.jpeg))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert image.size == picture().size == (kept.width, kept.height)


def test_the_same_picture_in_another_format_has_nearly_the_same_hash() -> None:
    one, other = check(encoded(picture(), "PNG")), check(encoded(picture(), "JPEG", quality=60))
    assert isinstance(one, Checked)
    assert isinstance(other, Checked)
    assert len(one.phash) == 64
    assert (int(one.phash, 16) ^ int(other.phash, 16)).bit_count() <= 10


@pytest.mark.parametrize("size", [(2000, 900), (900, 2000), (513, 512)])
def test_the_longest_side_is_512_pixels(size: tuple[int, int]) -> None:
    kept = check(encoded(picture().resize(size), "JPEG"))
    assert isinstance(kept, Checked)
    assert max(kept.width, kept.height) == LONGEST
    assert kept.width / kept.height == pytest.approx(size[0] / size[1], rel=0.01)


def test_exif_orientation_is_applied() -> None:
    image = Image.new("RGB", (300, 200), "navy")
    image.paste("yellow", (0, 0, 150, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: to be turned a quarter to the right
    kept = check(encoded(image, "JPEG", exif=exif))
    assert isinstance(kept, Checked)
    turned = Image.open(io.BytesIO(kept.jpeg))
    assert turned.size == (200, 300)
    red, _, _ = np.asarray(turned)[20, 100]
    assert red > 200, "yellow is at the top now"
    assert 0x0112 not in turned.getexif()


def test_transparency_is_laid_on_white() -> None:
    image = picture().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 100, 100))
    kept = check(encoded(image, "PNG"))
    assert isinstance(kept, Checked)
    assert np.asarray(Image.open(io.BytesIO(kept.jpeg)))[40, 40].min() > 245


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "unreadable: This file is empty"),
        (b"<!doctype html><p>no", "unreadable: This file is not a picture"),
        (jpeg()[:2000], "unreadable: This picture is damaged or cut short"),
        (encoded(picture().resize((300, 63)), "PNG"), "too small: 300 × 63 pixels"),
        (encoded(Image.new("RGB", (300, 300), "grey"), "PNG"), "blank: one colour all over"),
    ],
)
def test_what_is_not_kept_has_its_reason(data: bytes, reason: str) -> None:
    outcome = check(data)
    assert isinstance(outcome, Reject)
    assert outcome.reason == reason
    assert outcome.sha256


def test_only_an_upright_small_rgb_jpeg_fits_as_it_is() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    others = [
        encoded(picture(), "PNG"),
        encoded(picture(), "JPEG", exif=exif),
        encoded(picture().convert("L"), "JPEG"),
        encoded(picture().resize((600, 600)), "JPEG"),
    ]
    outcomes = [check(data) for data in (jpeg(), *others)]
    assert [isinstance(o, Checked) and o.fits for o in outcomes] == [True] + [False] * 4
