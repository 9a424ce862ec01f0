"""The chosen photo: its bytes and its preview."""

from __future__ import annotations

import io
from html import escape
from typing import Any

from IPython.display import Image
from ipywidgets import HTML, FileUpload, Output
from PIL import Image as PILImage

from kezako.model.wording import short
from kezako.pictures import NotAPicture, open_picture, shrink
from kezako.words import Words

ACCEPT = "image/*,.heic,.heif"  # desktop browsers do not include HEIC in image/*
PREVIEW = 960  # pixels of the longest side: sharp on a phone's high-resolution screen


class Preview:
    """Shows the photo that `upload` holds in `picture`.

    The light front end shows it from the browser's own memory as soon as it is chosen, and says so
    by the message `{"event": "preview", "shown": true}` before the photo itself arrives. It is not
    sent back then.
    """

    def __init__(self, upload: FileUpload, picture: Output, say: Words):
        self._upload, self._picture, self._say = upload, picture, say
        self._by_browser = False  # whether the browser shows the next photo itself
        picture.add_class("kezako-preview")
        picture.on_msg(self._hear)

    def show(self) -> str:
        """Show the photo; returns a short form of its file's name. Raises `NotAPicture`."""
        by_browser, self._by_browser = self._by_browser, False
        self._picture.outputs = ()
        name = short(str(self._upload.value[0]["name"]))
        if not by_browser:
            try:
                photo = preview(content(self._upload))
            except NotAPicture as error:
                raise NotAPicture(f"{name}: {error}") from None
            self._picture.append_display_data(shown(photo, self._say("photo")))
        return name

    def clear(self) -> None:
        self._picture.outputs = ()

    def _hear(self, _picture: Output, message: Any, _buffers: Any) -> None:
        if isinstance(message, dict) and message.get("event") == "preview":
            self._by_browser = message.get("shown") is True


def hint(say: Words) -> HTML:
    """What else may be done than pressing the button."""
    return HTML(f"<p>{escape(say('drop'))}</p>").add_class("kezako-hint")


def content(upload: FileUpload) -> bytes:
    """The bytes of the chosen file."""
    return bytes(upload.value[0]["content"])


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
