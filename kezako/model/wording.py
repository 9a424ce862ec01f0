"""Sentences of the page, cards and commands. They claim no more than the figures support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kezako.model.bundle import Card
from kezako.model.classifier import Answer

SURE = 2 / 3  # lowest probability to name one class: wrong at most one time in three
RIVAL = 1 / 2  # a class with this share of the best one's probability is a rival
RIVALS = 3  # classes named in one sentence that is unsure
LISTED = 6  # names in one list; of more, only the number is given
SHORT = 40  # characters of a name that came from outside
FEW = 100  # pictures; with fewer, an error of 4 % is possible even if none was wrong
SURE_ENOUGH = 1.959964  # standard deviations on either side: a 95 % interval

SORRY = "Something went wrong here, and it was not your picture. Please press Classify again."
TOO_LONG = "This page is busy: looking took too long and was given up. Please press Classify again."


def sentence(card: Card, answer: Answer) -> str:
    """What the page says: sure, unsure between a few, or none of these."""
    if not answer.known:
        return f"None of these: it does not look like {listed(card.labels, 'or')}."
    if card.task == "multi":
        return _named(card, listed(answer.labels, "and")) if answer.labels else _neither(card)
    best, *others = answer.probabilities.items()
    if best[1] >= SURE:
        return _named(card, best[0])
    rivals = [best[0], *(label for label, p in others if p >= RIVAL * best[1])][:RIVALS]
    if len(rivals) == 1:
        return f"Perhaps {best[0]}, but that is not certain."
    return f"Hard to say: {listed(rivals, 'or')}?"


def promise(
    corrections: bool,  # whether visitors may send photos back
) -> str:
    """What happens to a photo."""
    kept = ", unless you send it back" if corrections else ""
    return f"Your photo is classified, then forgotten{kept}."


def consent(
    longest: int,  # pixels of the longest side that is kept
) -> str:
    """What visitors agree to when they send a photo back."""
    return (
        "This photo is mine to give. The maker of this page may keep it, made smaller "
        f"({longest} pixels) and without its file’s data, to improve the classifier."
    )


def legend(label: str) -> tuple[str, str, str]:
    """For a heat map: its title, and the labels of the two ends of its scale."""
    return f"Evidence for “{label}”", "none", "most"


def alternative(
    label: str,
    x: float,  # where the heat is highest, from 0 (left) to 1
    y: float,  # from 0 (top) to 1
) -> str:
    """A heat map in words (alternative text)."""
    down = ("top", "", "bottom")[min(int(3 * y), 2)]
    across = ("left", "", "right")[min(int(3 * x), 2)]
    where = (
        f"at the {' '.join(filter(None, (down, across)))}" if down or across else "in the middle"
    )
    return f"Your photo in grey, coloured where the evidence for {label} is: most of it {where}."


def listed(
    names: Sequence[str],  # one or more
    last: str,  # the word before the last: "and", "or", "nor"
) -> str:
    """`a`, `a or b`, `a, b or c`; for more than `LISTED` names, their number."""
    if len(names) > LISTED:
        return f"any of {len(names)} classes" if last == "or" else f"{len(names)} classes"
    return f" {last} ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def percent(probability: float) -> str:
    """Whole percents; never 0 or 100, which no model can be sure of."""
    if probability < 0.01:
        return "< 1 %"
    return "> 99 %" if probability >= 0.995 else f"{100 * probability:.0f} %"


def share(
    found: Mapping[str, Any],  # figures of a card
    name: str,  # a share between 0 and 1; `NAME_interval` is its interval
) -> str:
    """A figure with its 95 % confidence interval: `8.4 % (5.5 to 12.6 %)`."""
    low, high = found[f"{name}_interval"]
    return f"{in_percent(found[name])} ({100 * low:.1f} to {in_percent(high)})"


def in_percent(value: float) -> str:
    """`8.4 %`."""
    return f"{100 * value:.1f} %"


def errors(validation: Mapping[str, Any], labels: int = 0) -> str:
    """The error rate, for a terminal; `labels` is their number for multi-label, else 0."""
    pictures = validation["pictures"]
    answers = pictures * max(labels, 1)
    low, high = validation["error_interval"]
    kind = "yes-or-no answers" if labels else "pictures"
    counted = f"{round(validation['error'] * answers)} of {answers} {kind}"
    return (
        f"{in_percent(validation['error'])} ({counted}; 95 % confidence "
        f"interval: {100 * low:.1f} to {in_percent(high)}).{few(pictures)}"
    )


def few(pictures: int) -> str:
    """A sentence, after a space, on how little so few pictures prove; empty for `FEW` or more."""
    if pictures >= FEW:
        return ""
    most = SURE_ENOUGH**2 / (pictures + SURE_ENOUGH**2)  # Wilson's upper limit for no errors
    return (
        f" So few pictures tell little: had none of the {pictures} been answered wrongly, the "
        f"error could still be {in_percent(most)}."
    )


def short(name: str) -> str:
    """`name`, with its middle left out if it is long."""
    half = SHORT // 2
    return name if len(name) <= SHORT else f"{name[: half - 1]}…{name[-half:]}"


def _named(card: Card, label: str) -> str:
    # Not str.format: a card is an untrusted file, and format would follow {label.__class__}.
    return card.answer.replace("{label}", label)


def _neither(card: Card) -> str:
    if len(card.labels) > LISTED:
        return f"None of these {len(card.labels)} classes."
    return f"Neither {listed(card.labels, 'nor')}."


def as_text(value: str) -> str:
    """Escape a name for Markdown: names are untrusted and must not act as Markdown or HTML."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|<>~$" else c for c in str(value))
