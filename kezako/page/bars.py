"""What belongs to the headline: bars of probabilities, or what "none of these" means."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ipywidgets import HTML

from kezako.model.classifier import Answer
from kezako.model.wording import detail, percent
from kezako.page.choice import Choice

BARS = 3  # classes shown at once, so that they fit a phone beside the photo; the rest unfolds


class Bars(HTML):
    """A bar for each class's probability, most probable first; empty until `show`.

    For "none of these" it says what that means, and the bars are folded: none of them is an answer.
    """

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.add_class("kezako-bars")
        self._choice = choice

    def show(self, answer: Answer) -> None:
        card, say = self._choice.classifier.card, self._choice.words
        rows = [
            _bar(card.name_of(label, say.code), p, label in answer.labels)
            for label, p in answer.probabilities.items()
        ]
        if not answer.known:
            said = escape(detail(card, answer, say))
            self.value = f"<p>{said}</p>{_folded(say('if_one'), rows)}"
            return
        shown = len(rows) if len(rows) == BARS + 1 else BARS  # a fold of one row saves nothing
        rest = rows[shown:]
        more = _folded(say("more", count=len(rest)), rest) if rest else ""
        self.value = f"<ul>{''.join(rows[:shown])}</ul>{more}"

    def clear(self) -> None:
        self.value = ""


def _folded(summary: str, rows: Iterable[str]) -> str:
    return f"<details><summary>{escape(summary)}</summary><ul>{''.join(rows)}</ul></details>"


def _bar(name: str, probability: float, named: bool) -> str:
    return (
        f'<li class="{"kezako-named" if named else ""}">'
        f"<span>{escape(name)}</span> <b>{percent(probability)}</b>"
        f'<i><i style="width:{100 * probability:.1f}%"></i></i></li>'
    )
