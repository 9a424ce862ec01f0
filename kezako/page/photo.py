"""The chosen photo: its bytes and its preview."""

from __future__ import annotations

import io

from IPython.display import Image
from ipywidgets import FileUpload, Output
from PIL import Image as PILImage

from kezako.model.wording import short
from kezako.pictures import NotAPicture, open_picture, shrink

ACCEPT = "image/*,.heic,.heif"  # desktop browsers do not include HEIC in image/*
PREVIEW = 960  # pixels of the longest side: sharp on a phone's high-resolution screen


def content(upload: FileUpload) -> bytes:
    """The bytes of the chosen file. Raises `NotAPicture` if none is chosen."""
    if not upload.value:
        raise NotAPicture("Choose a photo first.")
    return bytes(upload.value[0]["content"])


def show(upload: FileUpload, output: Output) -> str:
    """Show the chosen picture in `output`; returns what to do next. Raises `NotAPicture`."""
    output.outputs = ()
    name = short(str(upload.value[0]["name"])) if upload.value else ""
    try:
        photo = preview(content(upload))
    except NotAPicture as error:
        raise NotAPicture(f"{name}: {error}" if name else str(error)) from None
    output.append_display_data(shown(photo, "Your photo"))
    return f"{name} is ready: press Classify."


def shown(
    image: PILImage.Image,
    alt: str,  # alternative text
) -> Image:
    """A picture for an `Output`, as JPEG, which every browser shows, unlike HEIC and CMYK."""
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=85)
    return Image(jpeg.getvalue(), format="jpeg", alt=alt)


def preview(photo: bytes) -> PILImage.Image:
    """The photo at the size that the page shows. Raises `NotAPicture`."""
    return shrink(open_picture(photo), PREVIEW)
