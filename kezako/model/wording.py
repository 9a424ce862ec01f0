"""Sentences of the page, cards and commands. They claim no more than the figures support."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kezako.model.bundle import Card
from kezako.model.classifier import Answer
from kezako.words import LISTED, Words, words

SURE = 0.9  # lowest probability for a plain sentence: wrong at most one time in ten
PROBABLE = 2 / 3  # lowest probability to name one class: wrong at most one time in three
RIVAL = 1 / 2  # a class with this share of the best one's probability is a rival
RIVALS = 3  # classes named in one sentence that is unsure
SHORT = 40  # characters of a name that came from outside
FEW = 100  # pictures; with fewer, an error of 4 % is possible even if none was wrong
SURE_ENOUGH = 1.959964  # standard deviations on either side: a 95 % interval


def headline(card: Card, answer: Answer, say: Words | None = None) -> str:
    """What the page says first: the class, "Probably …", "Hard to say …" or "None of these"."""
    say = say or words()
    if not answer.known:
        return say("none")
    if card.task == "multi":
        names = [card.name_of(label, say.code) for label in answer.labels]
        return _named(card, say.listed(names, "and"), say) if names else _neither(card, say)
    names = [card.name_of(label, say.code) for label in answer.probabilities]
    shares = list(answer.probabilities.values())
    if shares[0] >= SURE:
        return _named(card, names[0], say)
    if shares[0] >= PROBABLE:
        return say("probably", label=names[0])
    rivals = sum(share >= RIVAL * shares[0] for share in shares)
    return say("hard", labels=say.listed(names[: min(max(rivals, 2), RIVALS)], "or"))


def detail(card: Card, answer: Answer, say: Words | None = None) -> str:
    """What belongs to the headline in smaller print; empty but for "None of these"."""
    say = say or words()
    if answer.known:
        return ""
    names = [card.name_of(label, say.code) for label in card.labels]
    return say("none_why", labels=say.listed(names, "or"))


def sentence(card: Card, answer: Answer) -> str:
    """Headline and detail in English: what the API and `kezako predict` say."""
    first, second = headline(card, answer), detail(card, answer)
    return f"{first}. {second}" if second else first


def consent(
    longest: int,  # pixels of the longest side that is kept
    say: Words | None = None,
) -> str:
    """What visitors agree to when they send a photo back."""
    return (say or words())("consent", longest=longest)


def alternative(
    label: str,
    x: float,  # where the heat is highest, from 0 (left) to 1
    y: float,  # from 0 (top) to 1
    say: Words | None = None,
) -> str:
    """A heat map in words (alternative text)."""
    say = say or words()
    down = ("top", "", "bottom")[min(int(3 * y), 2)]
    across = ("left", "", "right")[min(int(3 * x), 2)]
    where = say("_".join(filter(None, (down, across))) or "middle")
    return say("heat", label=label, where=where)


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


def _named(card: Card, label: str, say: Words) -> str:
    # Not str.format: a card is an untrusted file, and format would follow {label.__class__}.
    return card.texts(say.code).answer.replace("{label}", label)


def _neither(card: Card, say: Words) -> str:
    names = [card.name_of(label, say.code) for label in card.labels]
    if len(names) > LISTED:
        return say("neither_of", count=len(names))
    return say("neither", labels=say.listed(names, "nor"))


def as_text(value: str) -> str:
    """Escape a name for Markdown: names are untrusted and must not act as Markdown or HTML."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|<>~$" else c for c in str(value))
