"""`README.md` of a bundle: what its card says, for people, with the confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest

from kezako.bundle import Card
from kezako.lettering import Lettering, shortened
from kezako.wording import as_text

CONFUSION = "confusion.png"


def write_model_card(card: Card, folder: Path) -> None:
    """Write `README.md`, and for one label a picture its confusion matrix as a picture."""
    matrix = card.figures["validation"].get("confusion")
    if matrix:
        draw_confusion(matrix, card.labels).savefig(folder / CONFUSION, dpi=110)
    (folder / "README.md").write_text(model_card(card), encoding="utf-8")


def draw_confusion(matrix: list[list[int]], labels: tuple[str, ...]) -> Figure:
    """Rows: what it is; columns: what was said. `key` tells what its numbers stand for."""
    counts = np.array(matrix)
    longest = max(len(shortened(label)) for label in labels)
    side = 1.6 + 0.07 * longest + 0.6 * len(labels)  # inches
    lettering = Lettering(labels)
    with lettering.used():
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.subplots()
        axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0)
        for (row, column), count in np.ndenumerate(counts):
            dark = count > counts[row].sum() / 2
            axes.text(column, row, str(count), ha="center", va="center",
                      color="white" if dark else "black")  # fmt: skip
        axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right")
        axes.set_yticks(range(len(labels)), labels)
        axes.set_xlabel("said")
        axes.set_ylabel("is")
        lettering.put_into(figure)
    return figure


def show_confusion(labels: tuple[str, ...]) -> str:
    """The confusion matrix for a `README.md`, in one line, with the names it has numbers for."""
    key = Lettering(labels).key
    return f"![confusion matrix]({CONFUSION})" + (f" In it: {as_text(key)}." if key else "")


def model_card(card: Card) -> str:
    """The text of `README.md`; docs/model-card.md says which sections it has, and why."""
    figures, training = card.figures, card.training
    validation = figures["validation"]
    sections = [
        f"# {as_text(card.title)}",
        "## What it is for",
        f"Tells apart: {', '.join(as_text(label) for label in card.labels)}."
        + (" A picture may show several of them, or none." if card.task == "multi" else "")
        + " It takes one photo, and answers with a name and how sure it is of it, or with "
        '"none of these".',
        "## How good it is",
        _table(card),
        show_confusion(card.labels) if "confusion" in validation else "",
        _measured(card),
        _calibration(card),
        _none_of_these(figures["none_of_these"]),
        _agreement(card),
        _previous(card),
        "## What it learnt from",
        _counts(training["pictures"]),
        "Where each picture came from is in the maker's manifest; `credits.md`, where it is part "
        "of this folder, names the creators and licences that are known.",
        "## How it was trained",
        f"{training['weights']} {_settings(training)}",
        _made(card),
        "## Limits",
        _limits(card),
        "## Files",
        "`export.pkl` opens with fastai's `load_learner`; `model.onnx`, `head.onnx` and "
        "`known.npz` are what the page runs; `card.json` says the same as this page to programs, "
        "with a checksum of each file.",
    ]
    return "\n\n".join(section for section in sections if section).replace("\n\n- ", "\n- ") + "\n"


def _table(card: Card) -> str:
    validation = card.figures["validation"]
    errors = {**validation["error_by_class"], "": validation["error"]}
    last = card.figures.get("previous") or {}
    before = {**last.get("error_by_class", {}), "": last.get("error")}
    compared = "error_by_class" in last
    rows = ["| class | error |" + compared * " of the model before |"]
    rows.append("|---|---|" + compared * "---|")
    for name, value in errors.items():
        mark = "" if name else "**"
        cells = [as_text(name) or "all", _percent(value)]
        if compared:
            cells.append(_percent(before[name]) if before.get(name) is not None else "")
        rows.append("| " + " | ".join(f"{mark}{cell}{mark}" for cell in cells) + " |")
    return "\n".join(rows)


def _measured(card: Card) -> str:
    validation = card.figures["validation"]
    between = ""
    if card.task == "single":
        wrong = round(validation["error"] * validation["pictures"])
        likely = binomtest(wrong, validation["pictures"]).proportion_ci(method="wilson")
        between = (
            f" So many place the error between {_percent(likely.low)} and {_percent(likely.high)}, "
            "19 times in 20."
        )
    return (
        f"- Measured on {validation['pictures']} validation pictures that the model did not "
        f"learn from, with their labels as they are now.{between}"
    )


def _calibration(card: Card) -> str:
    calibration = card.figures["calibration"]
    return (
        f"- Calibration error {_percent(calibration['after'])} "
        f"({_percent(calibration['before'])} before temperature scaling, "
        f"T = {card.temperature:.2f}), on pictures the temperature was not fitted on."
    )


def _none_of_these(found: dict[str, Any]) -> str:
    passed = f"{_percent(found['passed'])} of the validation pictures pass as one of the classes."
    if not found["pictures"]:
        return f'- "None of these": {passed} Not yet measured against other pictures.'
    return (
        f'- "None of these": {passed} Of {found["pictures"]} other pictures '
        f"{_percent(found['refused'])} are refused (AUROC {found['auroc']:.3f})."
    )


def _agreement(card: Card) -> str:
    agreement = card.figures["agreement"]
    return (
        f"- The page runs {card.precision}: the same answer as fp32 on "
        f"{_percent(agreement['same_label_as_fp32'])} of the validation pictures; probabilities "
        f"differ from `learn.predict`'s by {agreement['mean_difference']:.4f} on average, "
        f"{agreement['greatest_difference']:.4f} at most."
    )


def _previous(card: Card) -> str:
    before = card.figures.get("previous")
    if not before:
        return ""
    own = before["error_on_its_own_card"]
    return (
        f"- The model before this one errs on {_percent(before['error'])} of the same validation "
        f"pictures, with their labels as they are now"
        + (f"; its own card said {_percent(own)}." if own is not None else ".")
    )


def _settings(training: Mapping[str, Any]) -> str:
    recipe = training["recipe"]
    return (
        f"{_fitting(training)} at {recipe['image_size']} px, resize "
        f"`{recipe['resize']}`, augmentation {'on' if recipe['augment'] else 'off'}, learning "
        f"rate {recipe['learning_rate']}, seed {recipe['seed']}."
    )


def _fitting(training: Mapping[str, Any]) -> str:
    backbone, epochs = training["recipe"]["backbone"], training["recipe"]["epochs"]
    tuned = f"A {backbone} was fine-tuned with fastai for"
    if "fit" not in training["recipe"]:  # before there was a choice
        return f"{tuned} {epochs} epochs (after one with the body frozen)"
    count = len(training["epochs"])
    ran = f"{count} epoch{'s' * (count != 1)}"
    if not training.get("head"):
        return f"A {backbone} was trained with fastai for {ran}"
    if not count:
        return f"The last layers of a {backbone} were trained with fastai, the others frozen,"
    return f"{tuned} {ran} of at most {epochs}, after its last layers alone,"


def _made(card: Card) -> str:
    named = ("kezako", "fastai", "torch")
    made_with = [f"{name} {card.libraries[name]}" for name in named if name in card.libraries]
    day = str(card.training.get("finished", ""))[:10]
    return f"Finished {day}".rstrip() + (f", with {', '.join(made_with)}." if made_with else ".")


def _limits(card: Card) -> str:
    by_class = card.figures["validation"]["error_by_class"]
    worst = max(by_class, key=lambda label: by_class[label])
    return (
        "It knows only the classes above, from pictures like those it learnt. The validation "
        "pictures come from the same places, so on others it may err more often than it says here"
        + (f"; most often on {as_text(worst)}" if by_class[worst] else "")
        + ". Do not use it where a wrong answer could harm somebody."
    )


def _counts(pictures: dict[str, dict[str, int]]) -> str:
    rows = ["| pictures | training | validation |", "|---|---|---|"]
    rows += [f"| {as_text(name)} | {count['train']} | {count['valid']} |"
             for name, count in pictures.items()]  # fmt: skip
    return "\n".join(rows)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
