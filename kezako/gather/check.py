"""Check one picture: any bytes in, a clean JPEG with its hashes or a reason out.

`serve` runs in a subprocess (see `check_pool`), because image decoders handle untrusted bytes
here. Only bytes and JSON pass between the processes, never a pickle.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, ImageStat

from kezako.pictures import (
    FORMATS,
    NotAPicture,
    open_picture,
    orientation_of,
    perceptual_hash,
    shrink,
)
from kezako.pictures.colour import conversion_of

if TYPE_CHECKING:
    from kezako.dataset.row import Status

MIN_SIDE = 64  # pixels; below that a picture from the web is an icon or a tracking pixel
OWN_SIDE = 16  # pixels, for your own pictures; common datasets have 28 (digits), 32 and 48 (faces)
FINE_SIDE = 64  # pixels; smaller pictures are stored without chroma subsampling
LONGEST = 512  # pixels; more than any backbone uses, at a tenth of the disk space
QUALITY = 92  # of the JPEG; higher makes files larger but no model better
BLANK_SPREAD = 3.0  # standard deviation of grey, of 255: placeholders have less, fog has more
READY = b"ready"
WORKER_MEMORY = 2 * 2**30  # bytes of address space; 64 megapixels need about half of it


@dataclass(frozen=True)
class Checked:
    """A picture as it is kept."""

    jpeg: bytes  # upright RGB, longest side at most `LONGEST`
    sha256: str  # of the original bytes
    phash: str  # 256 bits as hex
    width: int  # pixels, as kept
    height: int
    fits: bool = False  # the original bytes are such a JPEG already


@dataclass(frozen=True)
class Reject:
    """Why a picture is not kept. Reasons read "what: detail", so that they can be counted."""

    status: Status
    reason: str
    sha256: str | None = None  # of the original bytes


def check(
    data: bytes,
    least: int = MIN_SIDE,  # pixels of the shorter side
) -> Checked | Reject:
    """Decode `data` fully, turn it upright and shrink it. Bad bytes give a `Reject`."""
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        image = open_picture(data, needed=2 * LONGEST)  # the rest would be thrown away
    except NotAPicture as error:
        return Reject("broken", f"unreadable: {str(error).split('. ')[0].rstrip('.')}", sha256)
    width, height = image.size
    if min(width, height) < least:
        return Reject("refused", f"too small: {width} × {height} pixels", sha256)
    image = shrink(image, LONGEST) if max(width, height) > LONGEST else image
    grey = image.convert("L")
    if ImageStat.Stat(grey).stddev[0] < BLANK_SPREAD:
        return Reject("refused", "blank: one colour all over", sha256)
    jpeg = io.BytesIO()
    fine = {"subsampling": 0} if min(width, height) < FINE_SIDE else {}
    image.save(jpeg, "JPEG", quality=QUALITY, **fine)
    fits = (width, height) == image.size and _is_plain(data)
    return Checked(jpeg.getvalue(), sha256, perceptual_hash(grey), *image.size, fits)


def _is_plain(data: bytes) -> bool:
    """Whether the pixels in the file are already what `open_picture` gives."""
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    kind = image.format == "JPEG" and image.mode == "RGB"
    return kind and orientation_of(image) == 1 and conversion_of(image) is None


def serve() -> None:
    """Answer requests on stdin until it closes: sizes and bytes in, JSON and JPEG out.

    Writes `READY` first: starting takes many seconds on a busy machine, and this time must not
    count as a picture's.
    """
    _confine()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that a decoder that prints cannot corrupt the answers
    answers.write(READY)
    answers.flush()
    requests = sys.stdin.buffer
    while header := requests.read(8):
        size, least = struct.unpack(">II", header)
        _answer(check(requests.read(size), least), answers)


def _answer(outcome: Checked | Reject, answers: BinaryIO) -> None:
    values = asdict(outcome)
    jpeg = values.pop("jpeg", b"")
    text = json.dumps(values).encode()
    answers.write(struct.pack(">II", len(text), len(jpeg)) + text + jpeg)
    answers.flush()


def _confine() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the cap on pixels still applies
        return
    limits = {"RLIMIT_AS": WORKER_MEMORY, "RLIMIT_CORE": 0, "RLIMIT_FSIZE": 0}
    for name, value in limits.items():
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (ValueError, OSError):  # macOS has RLIMIT_AS but refuses to set it
            continue
