"""A bar for each class's probability."""

from __future__ import annotations

from html import escape

from ipywidgets import HTML

from kezako.model.classifier import Answer
from kezako.model.wording import percent

BARS = 6  # classes shown at once; the rest can be unfolded


class Bars(HTML):
    """A bar for each class's probability, most probable first; empty until `show`."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("kezako-bars")

    def show(self, answer: Answer) -> None:
        self.value = bars(answer)

    def clear(self) -> None:
        self.value = ""


def bars(answer: Answer) -> str:
    """HTML with one bar per class; names are escaped."""
    named = answer.labels
    rows = [_bar(label, p, label in named) for label, p in answer.probabilities.items()]
    shown, rest = "".join(rows[:BARS]), "".join(rows[BARS:])
    if rest:
        rest = f"<details><summary>{len(rows) - BARS} more</summary><ul>{rest}</ul></details>"
    return f"<ul>{shown}</ul>{rest}"


def _bar(label: str, probability: float, named: bool) -> str:
    return (
        f'<li class="{"kezako-named" if named else ""}">'
        f"<span>{escape(label)}</span> <b>{percent(probability)}</b>"
        f'<i><i style="width:{100 * probability:.1f}%"></i></i></li>'
    )
