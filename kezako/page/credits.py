"""Credits for the pictures that the classifier was trained on."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML

from kezako.page.choice import Choice


class Credits(HTML):
    """Who made the pictures that the chosen classifier was trained on, if its bundle says so."""

    def __init__(self, choice: Choice):
        super().__init__()
        self.add_class("kezako-credits")
        self._choice = choice
        choice.observe(self._show, "classifier")
        self._show()

    def _show(self, _change: Any = None) -> None:
        text = escape(self._choice.credits())
        summary = "Pictures it learnt from"
        self.value = (
            f"<details><summary>{summary}</summary><pre>{text}</pre></details>" if text else ""
        )
