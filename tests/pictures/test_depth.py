"""Pictures of more than 8 bits a colour are as bright as they are meant, of whatever depth."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from kezako.gather.check import Checked, check
from kezako.pictures import open_picture
from tests.api.odd_whole import chunk, png
from tests.page.photos import encoded

WIDTH, HEIGHT = 256, 80
RAMP = np.arange(WIDTH)  # what is to be seen, column by column
GREY, COLOUR, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 4, 6  # as PNG numbers them
CHANNELS = {GREY: 1, COLOUR: 3, GREY_ALPHA: 2, COLOUR_ALPHA: 4}


def ramp(bits: int, channels: int, alpha: bool = False) -> np.ndarray:
    """From black to what `bits` can say, (HEIGHT, WIDTH, channels) of 16 bits."""
    row = np.linspace(0, 2**bits - 1, WIDTH).round().astype(np.uint16)
    values = np.repeat(row[None, :, None], HEIGHT, 0).repeat(channels, 2)
    if alpha:
        values[..., -1] = 65535
    return values


def as_png(values: np.ndarray, colour: int) -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png((WIDTH, HEIGHT), 16, colour, chunk(b"IDAT", zlib.compress(rows)))


def as_tiff(values: np.ndarray, order: str, packed: bool) -> bytes:
    """Colours of 16 bits, which PIL reads and does not write."""
    pixels = values.astype(f"{order}u2").tobytes()
    pixels = zlib.compress(pixels) if packed else pixels
    places = 8 + len(pixels)
    entries = [
        (256, 3, 1, WIDTH), (257, 3, 1, HEIGHT), (258, 3, 3, places),
        (259, 3, 1, 8 if packed else 1), (262, 3, 1, 2), (273, 4, 1, 8), (277, 3, 1, 3),
        (278, 3, 1, HEIGHT), (279, 4, 1, len(pixels)),
    ]  # fmt: skip
    directory = struct.pack(f"{order}H", len(entries))
    for tag, kind, count, value in entries:
        short = kind == 3 and count == 1
        directory += struct.pack(f"{order}HHI", tag, kind, count)
        directory += struct.pack(f"{order}{'Hxx' if short else 'I'}", value)
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", places + 6)
    return header + pixels + struct.pack(f"{order}3H", 16, 16, 16) + directory + bytes(4)


def far_off(picture: Image.Image) -> int:
    """How many levels the worst pixel is from the ramp."""
    return int(np.abs(np.asarray(picture.convert("RGB"), int) - RAMP[None, :, None]).max())


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("colour", CHANNELS)
def test_a_png_is_as_bright_as_its_data(colour: int, bits: int) -> None:
    data = as_png(ramp(bits, CHANNELS[colour], colour >= GREY_ALPHA), colour)
    assert far_off(open_picture(data)) <= 2
    kept = check(data)
    assert isinstance(kept, Checked)
    assert far_off(open_picture(kept.jpeg)) <= 6  # as it is learnt from


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_tiff_is(bits: int, order: str, packed: bool) -> None:
    assert far_off(open_picture(as_tiff(ramp(bits, 3), order, packed))) <= 2


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_a_grey_tiff_is(bits: int) -> None:
    values = ramp(bits, 1)[..., 0]
    for image in (Image.fromarray(values), Image.fromarray(values.astype(np.int32))):
        assert far_off(open_picture(encoded(image, "TIFF"))) <= 2


def test_colours_keep_to_one_another() -> None:
    values = ramp(12, 3)
    values[..., 1] //= 2
    values[..., 2] = 0
    red, green, blue = np.asarray(open_picture(as_png(values, COLOUR)), int)[9].T
    assert np.abs(red - RAMP).max() <= 2
    assert np.abs(green - RAMP / 2).max() <= 2
    assert not blue.any()


def test_a_dark_picture_of_8_bits_is_only_dark() -> None:
    dark = np.full((HEIGHT, WIDTH, 1), 40, np.uint16)
    assert open_picture(as_png(dark, GREY)).getpixel((9, 9)) == (40, 40, 40)
    assert open_picture(as_png(dark.repeat(3, 2), COLOUR)).getpixel((9, 9)) == (40, 40, 40)


def test_a_black_one_is_black() -> None:
    for colour, channels in ((GREY, 1), (COLOUR, 3)):
        black = np.zeros((HEIGHT, WIDTH, channels), np.uint16)
        assert open_picture(as_png(black, colour)).getpixel((9, 9)) == (0, 0, 0)


def test_fractions_are_scaled_and_what_is_no_number_is_black() -> None:
    values = np.linspace(0, 3, WIDTH, dtype=np.float32)[None].repeat(HEIGHT, 0)
    values[0] = np.nan, *[np.inf] * (WIDTH - 1)
    picture = np.asarray(open_picture(encoded(Image.fromarray(values), "TIFF")), int)
    assert np.abs(picture[1:, :, 0] - RAMP).max() <= 1
    assert not picture[0].any()
