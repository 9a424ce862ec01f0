"""After an answer, a picture of photo and answer to show to somebody else."""

from __future__ import annotations

from html import escape

from ipywidgets import HTML

from kezako.page.choice import Choice


class Share(HTML):
    """After an answer: "Share", which the light front end shows and acts on; elsewhere it is hidden.

    The browser draws the picture itself; nothing is uploaded.
    """

    def __init__(self, choice: Choice):
        super().__init__()
        self.add_class("kezako-share")
        self._say = choice.words

    def offer(self) -> None:
        """Let the visitor share the answer on show."""
        self.value = (
            '<button type="button" class="jupyter-button" data-kezako-action="share" hidden>'
            f"{escape(self._say('share'))}</button>"
        )

    def clear(self) -> None:
        self.value = ""
