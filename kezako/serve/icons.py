"""The page's icon as PNG, for home screens; browsers' tabs get an SVG from the template."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageDraw, ImageFont

SIDES = (180, 192, 512)  # pixels: iOS, Android, and its splash screen
GROUND, INK = "#1a5fb4", "#ffffff"
HEIGHT = 0.56  # of the sign, as a part of the side: it survives a mask of any shape


@cache
def icon(
    side: int,  # pixels
) -> bytes:
    """A PNG of side × side pixels, opaque to its corners: systems cut their own shape."""
    picture = Image.new("RGB", (side, side), GROUND)
    font = ImageFont.load_default(HEIGHT * side * 1.35)
    ImageDraw.Draw(picture).text(
        (side / 2, side / 2), "?", INK, font, anchor="mm",
        stroke_width=side // 90, stroke_fill=INK,
    )  # fmt: skip
    file = io.BytesIO()
    picture.quantize(16).save(file, "PNG", optimize=True)  # two colours and the edge between them
    return file.getvalue()
