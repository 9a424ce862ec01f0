"""After an answer, a picture of photo and answer to show to somebody else."""

from __future__ import annotations

from html import escape

from ipywidgets import HTML

from kezako.page.choice import Choice


class Share(HTML):
    """After an answer: "Share", which hands on a picture of photo and answer.

    The light front end shows the button, and draws the picture in the browser; nothing is uploaded.
    Elsewhere the button stays hidden.
    """

    def __init__(self, choice: Choice):
        super().__init__(
            '<button type="button" class="jupyter-button" data-kezako-action="share" hidden>'
            f"{escape(choice.words('share'))}</button>"
        )
        self.add_class("kezako-share")
