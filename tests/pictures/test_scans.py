"""Whole photos are opened whatever lies behind them; those that take for ever are refused."""

from __future__ import annotations

import io
import re
import struct
import time

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from kezako.gather.check import Checked, Reject, check
from kezako.pictures import NotAPicture, open_picture
from kezako.pictures.scans import MAX_SEGMENTS
from tests.page.photos import encoded, same_pixels

SIDE = 3000  # pixels: 112 scans of it are too many
SCAN, END = b"\xff\xda", b"\xff\xd9"
# A film is coded pixels as well, in which two bytes that begin a scan are as common as any other.
FILM = b"\0\0\0\x18ftypmp42" + bytes(12) + (b"some film" + SCAN + b"\0\x08" + END) * 4000


@pytest.fixture(scope="module")
def a_scene() -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 255, SIDE), np.linspace(0, 255, SIDE))
    return Image.fromarray(np.stack([x, y, 255 - x], 2).astype(np.uint8))


@pytest.fixture(scope="module")
def a_photo(a_scene: Image.Image) -> bytes:
    return encoded(a_scene, "JPEG", progressive=True)


def many_scans(photo: bytes, count: int = 2000) -> bytes:
    """A photo that paints its last scan again and again."""
    last = photo[photo.rindex(SCAN) : -2]
    return photo[:-2] + last * count + END


def opens_as(data: bytes, photo: bytes) -> bool:
    return same_pixels(open_picture(data), open_picture(photo))


def is_refused(data: bytes) -> bool:
    """By the page and by gathering alike."""
    with pytest.raises(NotAPicture, match="too long"):
        open_picture(data)
    found = check(data)
    return isinstance(found, Reject) and "too long" in found.reason


def test_a_motion_photo_opens(a_photo: bytes) -> None:
    assert opens_as(a_photo + FILM, a_photo)
    assert isinstance(check(a_photo + FILM), Checked)


def test_several_pictures_in_one_file_open(a_scene: Image.Image, a_photo: bytes) -> None:
    more = [a_scene.rotate(turn) for turn in (90, 180, 270)]
    several = encoded(a_scene, "MPO", save_all=True, append_images=more, progressive=True)
    assert opens_as(several, a_photo)
    assert opens_as(several + FILM, a_photo)


def test_a_preview_within_is_not_counted(a_photo: bytes) -> None:
    preview = b"Exif\0\0" + (SCAN + END) * 8000
    segment = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    assert opens_as(a_photo[:2] + segment + a_photo[2:], a_photo)


def test_a_heic_with_a_film_opens() -> None:
    still = encoded(Image.effect_noise((90, 70), 60).convert("RGB"), "HEIF")
    assert opens_as(still + struct.pack(">I", 8 + len(FILM)) + b"mpvd" + FILM, still)


def test_restarts_and_padding_are_no_scans(a_scene: Image.Image) -> None:
    photo = encoded(a_scene, "JPEG", restart_marker_blocks=1)
    assert len(re.findall(rb"\xff[\xd0-\xd7]", photo)) > 10_000
    assert opens_as(photo[:2] + b"\xff" * 50 + photo[2:] + FILM, photo)


@pytest.mark.parametrize("behind", [b"", FILM, END, b"\xff\xd8" + END])
def test_scan_upon_scan_is_refused_before_it_is_painted(a_photo: bytes, behind: bytes) -> None:
    assert is_refused(many_scans(a_photo) + behind)


def test_an_end_within_a_comment_is_no_end(a_photo: bytes) -> None:
    comment = b"\xff\xfe" + struct.pack(">H", 6) + END * 2
    last = a_photo[a_photo.rindex(SCAN) : -2]
    assert is_refused(a_photo[:-2] + comment + last * 2000 + END)


def test_an_end_among_coded_pixels_is_one(a_photo: bytes) -> None:
    """For libjpeg as well, which paints nothing behind it."""
    first = a_photo.index(SCAN) + 200
    cut = a_photo[:first] + END
    assert opens_as(cut + many_scans(a_photo)[first:], cut)


def test_segment_upon_segment_is_refused_soon(a_photo: bytes) -> None:
    empty = b"\xff\xfe\0\2" * 20 * MAX_SEGMENTS
    start = time.process_time()
    assert is_refused(a_photo[:-2] + empty + SCAN * 30 + END)
    assert time.process_time() - start < 5  # seconds; following all of them takes 3 each time


def test_a_tiff_of_many_strips_opens(a_scene: Image.Image) -> None:
    """Each is a JPEG with a scan of its own, which paints that strip alone."""
    stored = encoded(a_scene, "TIFF", compression="jpeg", strip_size=SIDE * 3 * 8)
    assert stored.count(SCAN) > 200
    assert open_picture(stored).size == (SIDE, SIDE)


def test_a_tiff_of_many_scans_is_refused(a_scene: Image.Image) -> None:
    stored = encoded(a_scene, "TIFF", compression="jpeg", strip_size=SIDE * SIDE * 3)
    scans = many_scans(encoded(a_scene, "JPEG", progressive=True))
    assert stored.count(SCAN) == 1
    opened = Image.open(io.BytesIO(stored))
    assert isinstance(opened, TiffImagePlugin.TiffImageFile)
    tags = opened.tag_v2
    at = stored.index(struct.pack("<HHII", 273, 4, 1, tags[273][0])) + 8
    size = stored.index(struct.pack("<HHII", 279, 4, 1, tags[279][0])) + 8
    pointed = bytearray(stored + scans)
    pointed[at : at + 4] = struct.pack("<I", len(stored))
    pointed[size : size + 4] = struct.pack("<I", len(scans))
    assert is_refused(bytes(pointed))
    for kind in (2, 6, 9, 11, 12):  # letters, signed numbers, fractions
        pointed[at - 6 : at - 4] = struct.pack("<H", kind)
        with pytest.raises(NotAPicture):
            open_picture(bytes(pointed))
