"""Convert a picture's embedded ICC profile to sRGB with littleCMS.

Models, pages and browsers expect sRGB. A phone's photo is in Display P3, a camera's may be in Adobe
RGB, one for print in CMYK: read as sRGB, their colours are too dull or wrong. Profiles are
untrusted: one that is too large, broken or of an unusual kind is ignored.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageCms

MOST = 4 * 2**20  # bytes; profiles for print have up to 3 MB, of cameras and phones under 20 KB
HELD = 8  # cached conversions, at most half a megabyte each: a camera's photos share one profile
NEAR = 2  # levels of 255; the dozens of sRGB profiles differ by so much, from rounding
# As in photo programs: white paper becomes white, the darkest ink black, and other colours are
# kept. Profiles of cameras and screens have no tables for other intents.
INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
# Takes a fifth of the time to build; for a few pixels only.
UNTUNED = FLAGS | ImageCms.Flags.NOOPTIMIZE

_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")  # scanner, monitor, printer, colour space
_MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
_RAMP = Image.frombytes("L", (256, 1), bytes(range(256)))


@dataclass(frozen=True)
class Conversion:
    """Converts a profile's colours to sRGB."""

    mode: str  # of its input: RGB, L or CMYK
    _transform: Any = None
    _levels: bytes = b""  # sRGB level for each of 256 grey levels

    @property
    def is_slow(self) -> bool:
        """Whether it takes longer than decoding the picture."""
        return self.mode != "L"

    def __call__(self, image: Image.Image) -> Image.Image:
        """`image` in sRGB: RGB, or L if it was grey; alpha is kept. Other modes stay unchanged."""
        colours, alpha = image, None
        if image.mode in ("LA", "RGBA"):
            colours, alpha = image.convert(image.mode[:-1]), image.getchannel("A")
        if colours.mode != self.mode:
            return image
        levels = list(self._levels)
        converted = colours.point(levels) if levels else self._transform.apply(colours)
        if alpha is not None:
            converted.putalpha(alpha)
        return converted


def conversion_of(image: Image.Image) -> Conversion | None:
    """The conversion of `image` to sRGB; None if it is sRGB already, or its profile is unusable."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not _is_sound(profile):
        return None
    return _conversions.get(profile)


def _is_sound(profile: bytes) -> bool:
    # A profile may have any number of version 4's "multi-process elements", and each takes time.
    return 128 < len(profile) <= MOST and profile[12:16] in _CLASSES and b"mpet" not in profile


class _Conversions:
    """Cache of the conversions that were used last."""

    def __init__(self) -> None:
        self._held: OrderedDict[bytes, Conversion | None] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, profile: bytes) -> Conversion | None:
        key = hashlib.sha256(profile).digest()
        with self._lock:
            if key not in self._held:
                self._held[key] = _built(profile)
                if len(self._held) > HELD:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return self._held[key]


_conversions = _Conversions()


def _built(profile: bytes) -> Conversion | None:
    mode = _MODES.get(profile[16:20])
    if mode is None:
        return None
    try:
        if mode == "L":
            levels = _transform(profile, mode, UNTUNED).apply(_RAMP).getchannel("G").tobytes()
            same = _is_near(np.frombuffer(levels, np.uint8), np.arange(256))
            return None if same else Conversion(mode, _levels=levels)
        if mode == "RGB":
            colours = _some_colours()
            if _is_near(_transform(profile, mode, UNTUNED).apply(colours), colours):
                return None
        return Conversion(mode, _transform(profile, mode, FLAGS))
    except Exception:  # a broken profile, or a Pillow without littleCMS: do not convert
        return None


def _transform(profile: bytes, mode: str, flags: ImageCms.Flags) -> ImageCms.ImageCmsTransform:
    given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.ImageCmsTransform(given, srgb, mode, "RGB", INTENT, flags=flags)


def _some_colours() -> Image.Image:
    """729 colours from all over RGB."""
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3))


def _is_near(these: Any, those: Any) -> bool:
    return bool(np.abs(np.asarray(these, np.int16) - np.asarray(those, np.int16)).max() <= NEAR)
