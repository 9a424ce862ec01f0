"""Open a stranger's picture: any bytes in, an upright RGB image or a sentence out."""

from __future__ import annotations

import io
import math
import os
import warnings
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageFile, ImageOps
from pillow_heif import register_heif_opener

from kezako.errors import KezakoError

register_heif_opener(thumbnails=False)

Picture: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image

# The decoders a photo can need. Others (EPS starts Ghostscript, PSD, FITS...) are attack surface.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "HEIF", "AVIF", "PPM")
MAX_PIXELS = 64_000_000  # 64 MP as RGBA is 256 MB: what a 512 MB host can still hold for a moment
REDUCE_ABOVE = 32_000_000  # pixels; larger pictures are box-reduced first, to spare memory
USUAL_SCANS = 20  # of a JPEG: programs write a dozen, and a hostile one thousands in 100 KB
MAX_PAINTED = 1_000_000_000  # pixels x scans: each scan may paint the whole picture once more
WHITE = (255, 255, 255)
HASH_SIDE = 16  # 16 x 16 = 256 bits
ORIENTATION = 0x0112  # the EXIF tag
TURNED = range(2, 9)  # its values that say the picture is stored turned or mirrored

_HASHED_SIDE = 4 * HASH_SIDE  # pixels; what is finer than its lowest frequencies varies by coding
# (16, 64): the lowest waves of the discrete cosine transform of a row of pixels.
_COSINES = np.cos(
    np.pi / _HASHED_SIDE * np.outer(np.arange(HASH_SIDE), np.arange(_HASHED_SIDE) + 0.5)
)


class NotAPicture(KezakoError):
    """The input is no picture that can be shown; the message is a sentence for the visitor."""


def open_picture(
    picture: Picture,  # a path, the bytes of a file, or a PIL image
    mode: str = "RGB",  # "RGB", or "L" for grey
    max_pixels: int = MAX_PIXELS,  # width x height above which a picture is refused unread
) -> Image.Image:
    """The first frame of `picture`, turned by its EXIF orientation, transparency on white.

    Raises `NotAPicture` for anything that cannot be decoded whole.
    """
    image = picture if isinstance(picture, Image.Image) else _identify(picture)
    width, height = image.size
    if width * height > max_pixels:
        raise NotAPicture(
            f"This picture is too large ({width} × {height} pixels). "
            f"Please send one of at most {max_pixels // 1_000_000} megapixels."
        )
    try:
        # MemoryError and the rest: decoders of odd formats raise nearly anything on broken input.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            upright = _flatten(_decode(image), mode)
    except NotAPicture:
        raise
    except Exception as error:
        raise NotAPicture(
            "This picture is damaged or cut short. Please send it again, or another one."
        ) from error
    return upright.copy() if upright is picture else upright


def shrink(image: Image.Image, longest: int) -> Image.Image:
    """A copy of `image` whose longest side is at most `longest` pixels."""
    if max(image.size) <= longest:
        return image.copy()
    image = image.copy()
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return image


def perceptual_hash(image: Image.Image) -> str:
    """256 bits as hex: equal for copies of other sizes and codings, near for slight changes.

    Which of a picture's lowest frequencies are above their median: ImageHash's `phash`, bit for
    bit, without SciPy, whose import takes longer than a hundred pictures do.
    """
    grey = image if image.mode == "L" else image.convert("L")
    pixels = grey.resize((_HASHED_SIDE, _HASHED_SIDE), Image.Resampling.LANCZOS)
    low = _COSINES @ np.asarray(pixels, dtype=np.float64) @ _COSINES.T  # (16, 16)
    return np.packbits(low > np.median(low)).tobytes().hex()


def _identify(
    picture: str | os.PathLike[str] | bytes | bytearray | memoryview,
) -> ImageFile.ImageFile:
    if isinstance(picture, bytes | bytearray | memoryview):
        data = bytes(picture)  # ipywidgets hands out memoryviews, which PIL cannot open
    else:
        try:
            data = Path(picture).read_bytes()
        except OSError as error:
            raise NotAPicture(f"The file {Path(picture).name!r} cannot be read.") from error
    if not data:
        raise NotAPicture("This file is empty. Please choose another picture.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # size is judged by max_pixels, not by PIL's warning
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise NotAPicture("This picture is too large. Please send a smaller one.") from error
    except Exception as error:
        raise NotAPicture(
            "This file is not a picture. Please choose a JPEG, PNG, GIF, WebP or HEIC file."
        ) from error
    scans = _scans(image, data)
    if scans > USUAL_SCANS and scans * image.width * image.height > MAX_PAINTED:
        raise NotAPicture(
            "This picture is stored in a way that takes too long to open. "
            "Please save it again in a photo program, or send another one."
        )
    return image


def _scans(image: ImageFile.ImageFile, data: bytes) -> int:
    """How many scans a JPEG has, also one inside a TIFF; 1 for other kinds."""
    jpeg = image.format in ("JPEG", "MPO") or image.info.get("compression") == "jpeg"
    return data.count(b"\xff\xda") if jpeg else 1  # coded pixels never hold these two bytes


def _decode(image: Image.Image) -> Image.Image:
    if isinstance(image, ImageFile.ImageFile) and (factor := _reduction(image)) > 1:
        width, height = image.size
        image.draft(None, (width // factor, height // factor))  # JPEG decodes at a fraction
    image.load()
    orientation = image.getexif().get(ORIENTATION)  # not before: loading a TIFF turns it
    if (factor := _reduction(image)) > 1:
        image = _averageable(image).reduce(factor)
        if orientation:
            image.getexif()[ORIENTATION] = orientation
    # Where there is nothing to turn, exif_transpose would copy up to 100 MB for nothing.
    return ImageOps.exif_transpose(image) if orientation in TURNED else image


def _averageable(image: Image.Image) -> Image.Image:
    """`image` in a mode whose pixels are amounts, not bits or places in a palette."""
    if image.mode[0] in "IF":
        return _to_8_bit(image)
    if image.mode[0] == "P":
        return image.convert("RGBA")
    return image.convert("L") if image.mode == "1" else image


def _reduction(image: Image.Image) -> int:
    """By how much each side is divided, so that at most `REDUCE_ABOVE` pixels remain."""
    return math.ceil(math.sqrt(image.width * image.height / REDUCE_ABOVE))


def _flatten(image: Image.Image, mode: str) -> Image.Image:
    if image.mode[0] in "IF":
        image = _to_8_bit(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, WHITE)
        image.paste(rgba, mask=rgba.getchannel("A"))
    return image if image.mode == mode else image.convert(mode)


def _to_8_bit(image: Image.Image) -> Image.Image:
    # PIL's own conversion clips at 255, which turns a 16-bit picture white.
    values = np.asarray(image)
    top = 65535 if values.dtype.kind in "iu" and 255 < values.max() <= 65535 else values.max()
    scaled = np.clip(values * np.float32(255 / max(float(top), 1e-9)), 0, 255)
    return Image.fromarray(scaled.astype(np.uint8), "L")
