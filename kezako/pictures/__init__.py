"""Open untrusted pictures: any bytes in, an upright RGB image or `NotAPicture` out."""

from __future__ import annotations

import ctypes
import io
import logging
import math
import os
import re
import warnings
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageFile, _imaging
from pillow_heif import register_heif_opener

from kezako.pictures.colour import Conversion, conversion_of
from kezako.pictures.depth import brighten, raw_mode, read_as, to_8_bit
from kezako.pictures.scans import JPEG, paint_too_long
from kezako.words import VisitorError

register_heif_opener(thumbnails=False)

Picture: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image

# Decoders for photos only. Others (EPS starts Ghostscript, PSD, FITS...) are attack surface.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "HEIF", "AVIF", "PPM")
MAX_PIXELS = 64_000_000  # 64 MP in RGBA is 256 MB, which a 512 MB host can still hold for a moment
REDUCE_ABOVE = 32_000_000  # pixels; larger pictures are box-reduced first, to save memory
# The same if colours are converted, which takes twice as long as decoding.
CONVERT_ABOVE = 4_000_000
WHITE = (255, 255, 255)
HASH_SIDE = 16  # 16 x 16 = 256 bits
ORIENTATION = 0x0112  # EXIF tag
# EXIF orientations of pictures that are stored turned or mirrored -> what makes them upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}  # PIL can only convert them to these

# Pixels; only the lowest frequencies are used, as finer ones vary with compression.
_HASHED_SIDE = 4 * HASH_SIDE
# (16, 64): the lowest frequencies of the discrete cosine transform of a row of pixels.
_COSINES = np.cos(
    np.pi / _HASHED_SIDE * np.outer(np.arange(HASH_SIDE), np.arange(_HASHED_SIDE) + 0.5)
)


class NotAPicture(VisitorError):
    """The input cannot be shown as a picture."""


def open_picture(
    picture: Picture,  # a path, the bytes of a file, or a PIL image
    mode: str = "RGB",  # "RGB", or "L" for grey
    max_pixels: int = MAX_PIXELS,  # width x height; larger pictures are refused without decoding
    # Pixels of each side that are needed; a JPEG may be decoded at a smaller scale.
    needed: int | None = None,
) -> Image.Image:
    """The first frame of `picture` in sRGB, upright (EXIF orientation), on a white background.

    All code that shows, gathers, trains on or classifies a picture opens it here, so that all see
    the same pixels. Raises `NotAPicture` for anything that cannot be decoded completely.
    """
    data = b"" if isinstance(picture, Image.Image) else _read(picture)
    image = picture if isinstance(picture, Image.Image) else _identify(data)
    width, height = image.size
    if width * height > max_pixels:
        raise NotAPicture(
            "picture_pixels", width=width, height=height, most=max_pixels // 1_000_000
        )
    try:
        # Exception, with MemoryError: decoders of rare formats raise nearly anything on broken
        # input.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            conversion = conversion_of(image)
            upright = _flatten(_decode(image, data, conversion, needed), conversion, mode)
    except NotAPicture:
        raise
    except Exception as error:
        raise NotAPicture("picture_damaged") from error
    if upright is picture:
        upright = upright.copy()
    upright.info.clear()  # the file's metadata does not apply to these pixels
    return upright


def shrink(image: Image.Image, longest: int) -> Image.Image:
    """A copy of `image` whose longest side is at most `longest` pixels."""
    if max(image.size) <= longest:
        return image.copy()
    image = image.copy()
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return image


def perceptual_hash(image: Image.Image) -> str:
    """256 bits as hex: equal for resized and re-encoded copies, close for slight changes.

    Each bit says whether one of the lowest frequencies is above their median. The result is the
    same as ImageHash's `phash`, without SciPy, whose import takes longer than hashing a hundred
    pictures.
    """
    grey = image if image.mode == "L" else image.convert("L")
    pixels = grey.resize((_HASHED_SIDE, _HASHED_SIDE), Image.Resampling.LANCZOS)
    low = _COSINES @ np.asarray(pixels, dtype=np.float64) @ _COSINES.T  # (16, 16)
    return np.packbits(low > np.median(low)).tobytes().hex()


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 if it is missing or broken."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
        return int(orientation) if orientation in TURNS else 1
    except Exception:  # PIL raises nearly anything on broken EXIF, but the picture may be fine
        return 1


def _read(picture: str | os.PathLike[str] | bytes | bytearray | memoryview) -> bytes:
    if isinstance(picture, bytes | bytearray | memoryview):
        data = bytes(picture)  # ipywidgets gives memoryviews, which PIL cannot open
    else:
        try:
            data = Path(picture).read_bytes()
        except OSError as error:
            raise NotAPicture("picture_unreadable", name=repr(Path(picture).name)) from error
    if not data:
        raise NotAPicture("picture_empty")
    return data


def _identify(data: bytes) -> ImageFile.ImageFile:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # max_pixels checks the size, not PIL's warning
            image = _opened(data)
    except Image.DecompressionBombError as error:
        raise NotAPicture("picture_large") from error
    except Exception as error:
        raise NotAPicture("picture_none") from error
    if paint_too_long(image, data):
        raise NotAPicture("picture_slow")
    return image


def _opened(data: bytes) -> ImageFile.ImageFile:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (ValueError, OSError):
        bare = _bare(data)
        if bare == data:
            raise
        return Image.open(io.BytesIO(bare), formats=FORMATS)


def _bare(data: bytes) -> bytes:
    """The file without metadata that may be broken although the pixels are fine."""
    place = data.find(b"iCCP")
    if data.startswith(b"\x89PNG") and place > 0:  # an ICC profile that PIL cannot unpack
        end = place + 8 + int.from_bytes(data[place - 4 : place], "big")
        return data[: place - 4] + data[end:]
    if data[4:12] == b"ftypavif":  # hides EXIF: libavif ignores the unknown type
        return re.sub(rb"(infe.{8})Exif", rb"\1none", data, flags=re.DOTALL)
    return data


def _decode(
    image: Image.Image, data: bytes, conversion: Conversion | None, needed: int | None
) -> Image.Image:
    """The pixels, upright; reduced if they would take too much memory or time."""
    most = CONVERT_ABOVE if conversion and conversion.is_slow else REDUCE_ABOVE
    if isinstance(image, ImageFile.ImageFile):
        _draft(image, _reduction(image, most), needed)
        raw = raw_mode(image)
        _load(image)
        image = brighten(image, raw, lambda other: _load(_identify(data), other)) if data else image
    orientation = orientation_of(image)  # not before loading: loading a TIFF turns it
    if (factor := _reduction(image, most)) > 1:
        image = _averageable(image).reduce(factor)
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def _draft(image: ImageFile.ImageFile, factor: int, needed: int | None) -> None:
    """Decode a JPEG at a smaller scale if no more pixels are needed."""
    if image.format in JPEG and (factor > 1 or needed):
        size = image.width // factor, image.height // factor
        image.draft(None, (min(size[0], needed or size[0]), min(size[1], needed or size[1])))


def _load(image: ImageFile.ImageFile, raw: str = "") -> Image.Image:
    if raw:
        read_as(image, raw)
    if image.format == "TIFF":  # PIL parses the EXIF while loading, and fails if it is broken
        orientation, exif = orientation_of(image), image.getexif()
        for tag in list(exif):
            del exif[tag]
        exif[ORIENTATION] = orientation
    image.load()
    return image


def _averageable(image: Image.Image) -> Image.Image:
    """`image` in a mode whose pixels can be averaged: not bits or palette indices."""
    if image.mode[0] in "IF":
        return to_8_bit(image)
    if image.mode[0] == "P":
        return image.convert("RGBA")
    return image.convert("L") if image.mode == "1" else image


def _reduction(image: Image.Image, most: int) -> int:
    """The factor to divide each side by, so that at most about `most` pixels remain."""
    return math.ceil(math.sqrt(image.width * image.height / most))


def _flatten(image: Image.Image, conversion: Conversion | None, mode: str) -> Image.Image:
    image = _plain(image)
    if conversion:
        image = conversion(image)
    if image.mode in ("LA", "RGBA"):
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, WHITE)
        image.paste(rgba, mask=rgba.getchannel("A"))
    return image if image.mode == mode else image.convert(mode)


def _plain(image: Image.Image) -> Image.Image:
    """`image` as L, LA, RGB, RGBA or CMYK."""
    if image.mode[0] in "IF":
        return to_8_bit(image)
    if image.mode in PREMULTIPLIED:
        return image.convert(PREMULTIPLIED[image.mode])
    if image.mode in ("LA", "RGBA", "CMYK"):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _silence_libtiff() -> None:
    """Stop libtiff from writing warnings about untrusted files to the server's log.

    A few kilobytes can make it write megabytes. `NotAPicture` says what is wrong with a picture. If
    libtiff is statically linked into Pillow, as on Windows, it cannot be reached.
    """
    logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.CRITICAL)
    try:
        pillow = ctypes.CDLL(_imaging.__file__)  # also finds the libraries that it is linked with
        for handler in (pillow.TIFFSetWarningHandler, pillow.TIFFSetErrorHandler):
            handler(None)
    except (OSError, AttributeError):
        pass


_silence_libtiff()
