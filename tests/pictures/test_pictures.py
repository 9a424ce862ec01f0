"""Any bytes in, an upright RGB picture or a sentence out."""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from kezako.gather.check import Checked, check
from kezako.pictures import MAX_PIXELS, REDUCE_ABOVE, NotAPicture, open_picture, shrink


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def halves() -> Image.Image:
    """Red on the left, blue on the right: 80 x 60."""
    image = Image.new("RGB", (80, 60), "red")
    image.paste((0, 0, 255), (40, 0, 80, 60))
    return image


def colours(image: Image.Image) -> tuple[str, str]:
    """The strongest channel at the left and at the right edge."""
    row = np.asarray(image)[image.height // 2]
    left, right = ("rgb"[int(np.argmax(row[x]))] for x in (3, image.width - 4))
    return left, right


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "HEIF", "PPM"]
)
def test_every_kind_of_photo_opens(halves: Image.Image, kind: str) -> None:
    picture = open_picture(encoded(halves, kind))
    assert (picture.mode, picture.size) == ("RGB", (80, 60))
    assert colours(picture) == ("r", "b")


def test_bytes_views_paths_and_images_are_the_same(halves: Image.Image, tmp_path: Path) -> None:
    data = encoded(halves, "PNG")
    (tmp_path / "a.txt").write_bytes(data)
    same = [open_picture(x) for x in (data, bytearray(data), memoryview(data), halves,
                                      tmp_path / "a.txt", str(tmp_path / "a.txt"))]  # fmt: skip
    first, *others = map(np.asarray, same)
    assert all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture_upright(halves: Image.Image, orientation: int) -> None:
    methods = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what a camera did to it
    stored = halves
    if orientation in methods:
        stored = halves.transpose(Image.Transpose(methods[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("JPEG", "PNG", "WEBP"):
        picture = open_picture(encoded(stored, kind, exif=exif))
        assert (picture.size, colours(picture)) == ((80, 60), ("r", "b")), kind


def test_transparency_becomes_white() -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    for kind in ("PNG", "WEBP", "GIF"):
        assert open_picture(encoded(clear, kind)).getpixel((5, 5)) == (255, 255, 255), kind


def test_ink_colours_are_converted(halves: Image.Image) -> None:
    assert colours(open_picture(encoded(halves.convert("CMYK"), "JPEG"))) == ("r", "b")


@pytest.mark.parametrize("mode", ["La", "RGBa"])
def test_pixels_multiplied_with_their_alpha_open(mode: str) -> None:
    """As TIFF stores them: grey 200, half of it to be seen."""
    bands = {"La": (100, 128), "RGBa": (100, 100, 100, 128)}[mode]
    stored = bytearray(encoded(Image.new(mode.upper(), (9, 9), bands), "TIFF"))
    tag = struct.pack("<HHI", 338, 3, 1)  # what the last band is: 2 alpha, 1 multiplied already
    stored[stored.index(tag) + 8] = 1
    picture = Image.open(io.BytesIO(stored))
    assert picture.mode == mode or "RGBa" in str(picture.tile)
    assert open_picture(bytes(stored)).getpixel((4, 4)) == pytest.approx((227,) * 3, abs=2)


BROKEN = {
    "no TIFF": b"XX*\0\x08\0\0\0" + bytes(80),
    "another number": b"II+\1\x08\0\0\0" + bytes(80),
    "noise": bytes(number * 89 % 256 for number in range(500)),
    "cut": b"II*\0\x08\0\0\0\x09",
    "empty": b"",
    "turned by words": b"II*\0\x08\0\0\0\1\0\x12\1\2\0\4\0\0\0six\0" + bytes(4),
    "far away": b"II*\0\xff\xff\xff\x7f",
    "turned, then nonsense": b"II*\0\x08\0\0\0\2\0\x12\1\3\0\1\0\0\0\1\0\0\0"
    b"\x69\x87\4\0\1\0\0\0\xff\xff\xff\xff" + bytes(4),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_with_broken_exif_it_is_taken_as_it_lies(halves: Image.Image, name: str) -> None:
    for kind in ("JPEG", "PNG", "WEBP", "HEIF", "MPO"):
        several = {"save_all": True, "append_images": [halves]} if kind == "MPO" else {}
        data = encoded(halves, kind, exif=b"Exif\0\0" + BROKEN[name], **several)
        assert colours(open_picture(data)) == ("r", "b"), kind
    large = encoded(halves.resize((640, 480)), "JPEG", exif=b"Exif\0\0" + BROKEN[name])
    assert isinstance(check(large), Checked)


def test_with_broken_exif_an_avif_opens(halves: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    whole = encoded(halves, "AVIF", exif=exif)
    broken = whole.replace(exif.tobytes()[6:14], b"XX*\0\xff\xff\xff\xff")
    assert broken != whole
    assert colours(open_picture(broken)) == ("r", "b")


@pytest.mark.parametrize("packed", ["raw", "tiff_lzw"])
def test_with_broken_exif_a_tiff_is_turned_all_the_same(halves: Image.Image, packed: str) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0112], tags[0x8769] = 3, 4242
    data = bytearray(encoded(halves, "TIFF", tiffinfo=tags, compression=packed))
    place = data.index(struct.pack("<HHI", 0x8769, 4, 1)) + 8
    for where in (1, len(data) - 3, 2**32 - 1):
        data[place : place + 4] = struct.pack("<I", where)
        assert colours(open_picture(bytes(data))) == ("b", "r")


def _with_unknown_tags(halves: Image.Image) -> bytes:
    """Of which libtiff has something to say of each: 24 KB make it write half a megabyte."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for number in range(2000):
        tags[40000 + number], tags.tagtype[40000 + number] = 7, 3
    return encoded(halves, "TIFF", tiffinfo=tags, compression="tiff_lzw")


def test_decoders_write_nothing_into_the_log(
    halves: Image.Image, capfd: pytest.CaptureFixture[str]
) -> None:
    noisy = [_with_unknown_tags(halves)]
    random = np.random.default_rng(7)
    for packed in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "lzma", "zstd", "group4"):
        stored = encoded(halves.convert("1" if packed == "group4" else "RGB"), "TIFF",
                         compression=packed)  # fmt: skip
        for _ in range(20):
            broken = bytearray(stored)
            for place in random.integers(8, len(broken), 4):
                broken[place] = random.integers(256)
            noisy.append(bytes(broken))
    many = bytearray(encoded(halves, "TIFF"))
    many[many.index(struct.pack("<HHII", 277, 3, 1, 3)) + 8] = 99  # colours a pixel
    for data in (*noisy, bytes(many)):
        with contextlib.suppress(NotAPicture):
            open_picture(data)
    said = capfd.readouterr()
    assert said.out + said.err == ""


def test_of_an_animation_the_first_frame_counts(halves: Image.Image) -> None:
    frames = [halves, halves.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    for kind in ("GIF", "WEBP", "PNG"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert colours(open_picture(data)) == ("r", "b"), kind


def test_grey_stays_one_channel(halves: Image.Image) -> None:
    assert open_picture(halves, mode="L").mode == "L"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_huge_picture_is_reduced_and_still_turned(kind: str) -> None:
    image = Image.new("RGB", (8000, 6000), "red")  # 48 megapixels
    image.paste((0, 0, 255), (4000, 0, 8000, 6000))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    picture = open_picture(encoded(image, kind, exif=exif))
    assert picture.width * picture.height <= REDUCE_ABOVE
    assert picture.width / picture.height == pytest.approx(4 / 3, rel=0.01)
    assert colours(picture) == ("b", "r")


@pytest.mark.parametrize("mode", ["1", "P", "LA"])
def test_a_huge_picture_of_another_mode_is_reduced(mode: str) -> None:
    data = encoded(Image.new("L", (6000, 6000), 255).convert(mode), "PNG", compress_level=1)
    picture = open_picture(data)
    assert picture.width * picture.height <= REDUCE_ABOVE
    assert picture.getpixel((9, 9)) == (255, 255, 255)


def test_a_picture_handed_over_is_not_handed_back(halves: Image.Image) -> None:
    assert open_picture(halves) is not halves


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    side = int(MAX_PIXELS**0.5) + 100
    data = encoded(Image.new("1", (side, side)), "PNG")
    assert len(data) < 100_000
    with pytest.raises(NotAPicture, match="too large"):
        open_picture(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"just words", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 50, "not a picture"),
    ],
)
def test_what_is_no_picture_gets_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(NotAPicture, match=words):
        open_picture(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_picture_cut_short_gets_a_sentence(kind: str) -> None:
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    data = encoded(noise, kind)
    with pytest.raises(NotAPicture):
        open_picture(data[: len(data) // 2])


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(NotAPicture, match=r"gone\.jpg"):
        open_picture(tmp_path / "gone.jpg")


def test_shrink_keeps_the_shape_and_small_pictures() -> None:
    assert shrink(Image.new("RGB", (1000, 500)), 512).size == (512, 256)
    assert shrink(Image.new("RGB", (100, 50)), 512).size == (100, 50)
