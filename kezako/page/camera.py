"""Take a photo with the camera of a computer, or of a phone whose file chooser leaves it out."""

from __future__ import annotations

from html import escape

from ipywidgets import HTML

from kezako.words import Words


class Camera(HTML):
    """A button that the light front end shows where it can take a photo; elsewhere it is hidden.

    The photo goes the same way as a chosen file.
    """

    def __init__(self, say: Words):
        super().__init__(
            '<button type="button" class="jupyter-button" data-kezako-action="camera" hidden>'
            f"{escape(say('camera'))}</button>"
        )
        self.add_class("kezako-camera")
