"""A card's figures as sentences, for trainings and imports; none claims more than its figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kezako.export.calibration import ENOUGH
from kezako.export.crossfit import PASSED
from kezako.model.bundle import Card
from kezako.model.wording import as_text, few, in_percent, share
from kezako.recipe import SOMETHING_ELSE

Figures = Mapping[str, Any]


def table(card: Card) -> str:
    """A Markdown table of the error by class, with counts and intervals."""
    multi = card.task == "multi"
    validation, last = card.figures["validation"], card.figures.get("previous")
    head = ["class", "wrong", "error", "95 % interval"]
    head += ["missed where shown"] * multi + ["error of the model before"] * bool(last)
    rows = [head, ["---"] * len(head)]
    for label in card.labels:
        counted = validation["classes"].get(label)
        cells = _cells(counted, multi) if counted else ["not measured", "", ""] + [""] * multi
        before = (last or {}).get("classes", {}).get(label)
        cells += [in_percent(before["error"]) if before else ""] * bool(last)
        rows.append([as_text(card.name_of(label)), *cells])
    rows.append([f"**{cell}**" if cell else "" for cell in _all(card, validation, last, multi)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def measured(card: Card, on: str) -> str:
    """What the table was measured `on`, with a warning if the pictures are few."""
    pictures = card.figures["validation"]["pictures"]
    answers = (
        " An error is a wrong yes or no about one class; thresholds are judged on pictures that "
        "did not choose them."
    )
    return (
        f"Measured on {pictures} {on}.{answers * (card.task == 'multi')} Brackets hold 95 % "
        f"confidence intervals.{few(pictures)}"
    )


def calibration(card: Card) -> str:
    """The calibration error before and after scaling, and how the temperature was chosen."""
    found = card.figures["calibration"]
    chance = " That much may be chance alone." * (found["after_interval"][0] == 0)
    return (
        f"Calibration error {share(found, 'after')}, and {share(found, 'before')} before "
        f"temperature scaling, on pictures the temperature was not fitted on.{chance} "
        f"{_temperature(card)}"
    )


def none_of_these(card: Card) -> str:
    """How many pictures of the classes are accepted, and how many others are refused."""
    found, pictures = card.figures["none_of_these"], card.figures["validation"]["pictures"]
    passed = (
        f'"None of these": {share(found, "passed")} of pictures that did not set the limit are '
        "accepted as one of the classes."
    )
    others = found.get("something_else")
    tightened = bool(others and others["tightened"])
    if pictures < PASSED / (1 - PASSED) and not tightened:
        passed += f" The limit is no more than the greatest distance among {pictures} pictures."
    if others:
        passed += f" {_something_else(others)}"
    if not found["pictures"]:
        return passed if others else f"{passed} Not yet measured against other pictures."
    low, high = found["auroc_interval"]
    return (
        f"{passed} Of {found['pictures']} other pictures {share(found, 'refused')} are refused "
        f"(AUROC {found['auroc']:.3f}, {low:.3f} to {high:.3f})."
    )


def _something_else(found: Figures) -> str:
    pictures = found["pictures"]
    refused = round(found["refused"] * pictures)
    if pictures < ENOUGH:
        limit = f"at least {ENOUGH} are needed to tighten the limit"
    elif found["tightened"]:
        limit = "they tightened the limit, and each is judged by the limit of the others"
    else:
        limit = (
            "they did not change the limit, because a tighter one would lose more pictures of the "
            "classes than it surely refuses of these"
        )
    return (
        f"Of {pictures} pictures of {SOMETHING_ELSE}, which show none of the classes, {refused} "
        f"are refused: {share(found, 'refused')}; {limit}."
    )


def precision(card: Card) -> str:
    """The precision of the page's model, and what int8 costs or why it is not used."""
    found = card.figures["agreement"]
    if "same_label_as_fp32" in found:
        same = share(found, "same_label_as_fp32")
        return (
            f"The page runs {card.precision}, which gives {same} of the pictures the answer that "
            "fp32 gives."
        )
    if "same_label_in_int8" not in found:
        return f"The page runs {card.precision}."
    same = share(found, "same_label_in_int8")
    losses = f"{found['log_loss_in_int8']:.3f} instead of {found['log_loss_in_fp32']:.3f}"
    return (
        f"The page runs fp32, because int8 would not keep its answers: it gives {same} of the "
        f"pictures the same one, with a log loss of {losses}."
    )


def difference(previous: Figures) -> str:
    """The difference to the previous model's error, and whether it may be chance."""
    gained, (low, high) = previous["gained"], previous["gained_interval"]
    if low <= 0 <= high:
        found = f"{_points(gained)} than it" if gained else "just as often"
        return (
            f"This one errs {found}, which may be chance (95 % interval: {_points(low)} to "
            f"{_points(high)})."
        )
    near, far = sorted((abs(low), abs(high)))
    return (
        f"This one errs {_points(gained)} than it (95 % interval: {100 * near:.1f} to "
        f"{100 * far:.1f})."
    )


def _points(gained: float) -> str:
    return f"{100 * abs(gained):.1f} points {'less' if gained >= 0 else 'more'}"


def _temperature(card: Card) -> str:
    found, pictures = card.figures["calibration"], card.figures["validation"]["pictures"]
    value = f"T = {card.temperature:.2f}"
    interval = found["temperature_interval"]
    if interval is None:
        wrong = f"Only {found['wrong']}" if found["wrong"] else "None"
        chosen = (
            "T stays 1, as training left it."
            if card.temperature == 1
            else f"{value} assumes that of two more answers one is wrong."
        )
        return (
            f"{wrong} of the {pictures} pictures got a wrong answer, and fitting a temperature "
            f"takes at least {ENOUGH}: {chosen}"
        )
    told = f"({interval[0]:.2f} to {interval[1]:.2f})"
    if card.temperature == 1 and interval[1] < 1:
        return (
            f"T stays 1, though these pictures {told} ask for less: the model may have "
            "memorised them."
        )
    return f"{value} {told}."


def _cells(counted: Figures, multi: bool) -> list[str]:
    cells = [
        f"{counted['wrong']} of {counted['pictures']}", in_percent(counted["error"]),
        _between(counted),
    ]  # fmt: skip
    if multi:
        shown = counted["shown"]
        missed = f"{round(counted['missed'] * shown)} of {shown}: " if shown else ""
        cells.append(f"{missed}{share(counted, 'missed')}" if shown else "none shows it")
    return cells


def _all(card: Card, validation: Figures, last: Figures | None, multi: bool) -> list[str]:
    answers = validation["pictures"] * (len(card.labels) if multi else 1)
    return [
        "all", f"{round(validation['error'] * answers)} of {answers}",
        in_percent(validation["error"]), _between(validation), *[""] * multi,
        *([in_percent(last["error"])] if last else []),
    ]  # fmt: skip


def _between(found: Figures) -> str:
    low, high = found["error_interval"]
    return f"{100 * low:.1f} to {in_percent(high)}"
