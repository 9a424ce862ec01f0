"""Rows of small pictures to press: examples, and parts of a photo that is very long."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from html import escape
from itertools import count
from typing import Any

from ipywidgets import HTML, Button, FileUpload, HBox, VBox
from PIL import Image as PILImage
from traitlets.log import get_logger

from kezako.model.bundle import BundleError
from kezako.model.classifier import Answer
from kezako.page.choice import Choice
from kezako.pictures import NotAPicture, open_picture

SIDE = 112  # pixels of a thumbnail; shown at half of that, sharp on a phone
QUALITY = 60  # of its WebP: about 2 KB
LONG = 2.0  # a photo whose sides differ by more loses more than half when it is cut to a square
_NEVER = datetime.fromtimestamp(0, UTC)  # when a part or an example was last modified
_numbers = count(1)  # class names must be unique on the page


class Thumbnails(VBox):
    """A sentence and a row of pictures; pressing one chooses it, as if it had been uploaded."""

    def __init__(self, upload: FileUpload):
        self._upload = upload
        super().__init__()
        self.add_class("kezako-thumbnails")

    def show(
        self,
        sentence: str,
        pictures: Sequence[tuple[str, bytes, PILImage.Image]],  # name to read out, file, picture
    ) -> None:
        buttons, styles = [], []
        for name, content, picture in pictures:
            mark = f"kezako-thumbnail-{next(_numbers)}"
            styles.append(f".{mark}{{background-image:url({_thumbnail(picture)})!important}}")
            button = Button(tooltip=name).add_class("kezako-thumbnail").add_class(mark)
            button.on_click(partial(self._choose, content))
            buttons.append(button)
        said = HTML(f"<style>{''.join(styles)}</style><p>{escape(sentence)}</p>")
        self.children = [said, HBox(buttons)] if buttons else []

    def clear(self) -> None:
        self.children = []

    def _choose(self, content: bytes, button: Button) -> None:
        file = {"name": button.tooltip, "type": "image/jpeg", "size": len(content)}
        self._upload.value = ({**file, "content": memoryview(content), "last_modified": _NEVER},)


class Examples(Thumbnails):
    """The pictures to try that come with the chosen classifier, if its bundle has any."""

    def __init__(self, choice: Choice, upload: FileUpload):
        super().__init__(upload)
        self.add_class("kezako-examples")
        self._choice = choice
        choice.observe(self._show, "classifier")
        self._show()

    def _show(self, _change: Any = None) -> None:
        say = self._choice.words
        pictures = []
        try:
            for number, content in enumerate(self._choice.examples(), 1):
                pictures.append((say("example", number=number), content, open_picture(content)))
        except (BundleError, NotAPicture) as error:
            get_logger().warning("%s", error)
        self.show(say("examples"), pictures)


class Parts(Thumbnails):
    """Three square parts of a very long photo that got "none of these"."""

    def __init__(self, choice: Choice, upload: FileUpload):
        super().__init__(upload)
        self._choice = choice

    def offer(self, answer: Answer, photo: bytes) -> None:
        """Offer parts of `photo`, if it is long and none of the classes."""
        if answer.known:
            return
        picture = open_picture(photo)
        least, most = sorted(picture.size)
        if most <= LONG * least:
            return
        say = self._choice.words
        parts = []
        for number, shift in enumerate((0, (most - least) // 2, most - least), 1):
            x, y = (shift, 0) if picture.width > picture.height else (0, shift)
            part = picture.crop((x, y, x + least, y + least))
            parts.append((say("part", number=number), _encoded(part, "JPEG", 95), part))
        self.show(say("parts"), parts)


def _thumbnail(picture: PILImage.Image) -> str:
    least = min(picture.size)
    x, y = (picture.width - least) // 2, (picture.height - least) // 2
    small = picture.resize((SIDE, SIDE), box=(x, y, x + least, y + least))
    return "data:image/webp;base64," + b64encode(_encoded(small, "WEBP", QUALITY)).decode()


def _encoded(picture: PILImage.Image, format: str, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, quality=quality)
    return file.getvalue()
