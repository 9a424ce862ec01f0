"""Write a bundle's `README.md`: the model card for people, with the confusion matrix."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from kezako.export import sentences
from kezako.export.cover import draw_cover
from kezako.fonts import Lettering, shortened
from kezako.model.bundle import COVER, Card
from kezako.model.wording import as_text, errors, in_percent, share
from kezako.recipe import LABEL_SEPARATOR, Recipe

CONFUSION = "confusion.png"
README = "README.md"
UNEQUAL = 4  # if a class has so many times more training pictures than another, the card says so


def write_model_card(card: Card, folder: Path) -> None:
    """Write `README.md` and, for single-label, a plot of the confusion matrix."""
    write_confusion(card, folder)
    (folder / README).write_text(model_card(card), encoding="utf-8")


def write_confusion(card: Card, folder: Path) -> None:
    """Write the plot of the confusion matrix, if the card has one."""
    if (plot := confusion_png(card)) is not None:
        (folder / CONFUSION).write_bytes(plot)


def confusion_png(card: Card) -> bytes | None:
    """The plot of the confusion matrix; None if the card has none."""
    matrix = card.figures.get("validation", {}).get("confusion")
    if not matrix:
        return None
    file = io.BytesIO()
    draw_confusion(matrix, names(card)).savefig(file, format="png", dpi=110)
    return file.getvalue()


def write_cover(card: Card, folder: Path) -> None:
    """Draw `cover.jpg`, with the examples that `folder` holds."""
    shown = [(folder / example.file).read_bytes() for example in card.examples]
    (folder / COVER).write_bytes(draw_cover(card, shown))


def words_in(recipe: Recipe) -> dict[str, Any]:
    """The fields of a card that hold the maker's words."""
    fields = ("title", "prompt", "answer", "names", "language", "words")
    return {name: getattr(recipe, name) for name in fields}


def names(card: Card) -> tuple[str, ...]:
    """What people read for each class, in the order of the labels."""
    return tuple(map(card.name_of, card.labels))


def draw_confusion(matrix: list[list[int]], names: tuple[str, ...]) -> Figure:
    """Rows: true class; columns: answer. `Lettering.key` explains numbers that replace names."""
    counts = np.array(matrix)
    longest = max(len(shortened(name)) for name in names)
    side = 1.6 + 0.07 * longest + 0.6 * len(names)  # inches
    lettering = Lettering(names)
    with lettering.used():
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.subplots()
        axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0)
        for (row, column), count in np.ndenumerate(counts):
            dark = count > counts[row].sum() / 2
            axes.text(column, row, str(count), ha="center", va="center",
                      color="white" if dark else "black")  # fmt: skip
        axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("said")
        axes.set_ylabel("is")
        lettering.put_into(figure)
    return figure


def show_confusion(names: tuple[str, ...]) -> str:
    """One line of Markdown with the confusion matrix, and a key for numbers that replace names."""
    key = Lettering(names).key
    return f"![confusion matrix]({CONFUSION})" + (f" In it: {as_text(key)}." if key else "")


def model_card(card: Card) -> str:
    """The text of `README.md`; docs/model-card.md describes its sections."""
    training = card.training
    sections = [
        f"# {as_text(card.title)}",
        "## What it is for",
        f"Tells apart: {', '.join(map(as_text, names(card)))}."
        + (" A picture may show several of them, or none." if card.task == "multi" else "")
        + " It takes one photo, and answers with a name and how sure it is of it, or with "
        '"none of these".',
        "## How good it is",
        sentences.table(card),
        show_confusion(names(card)) if "confusion" in card.figures["validation"] else "",
        "\n".join(f"- {line}" for line in _lines(card)),
        "## What it learnt from",
        _counts(training["pictures"], card),
        _unequal(card),
        _examples(card),
        "Where each picture came from is in the maker's manifest; `credits.md`, where it is part "
        "of this folder, names the creators and licences that are known.",
        "## How it was trained",
        f"{training['weights']} {_settings(training)}",
        _made(card),
        "## Limits",
        _limits(card),
        "## Files",
        "`export.pkl` opens with fastai's `load_learner`; `model.onnx`, `head.onnx` and "
        "`known.npz` are what the page runs; `cover.jpg` is the picture of a shared link; "
        "`card.json` says the same as this page to programs, with a checksum of each file.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _lines(card: Card) -> list[str]:
    judges = "validation pictures that the model did not learn from, with their labels as they are"
    lines = [
        sentences.measured(card, f"{judges} now"),
        sentences.calibration(card),
        sentences.none_of_these(card),
        f"{sentences.precision(card)} {_agreement(card)}",
    ]
    if test := card.figures.get("test"):
        labels = len(card.labels) if card.task == "multi" else 0
        lines.insert(1, f"On the test pictures, which were kept apart: {errors(test, labels)}")
    if card.figures.get("previous"):
        lines.append(_previous(card))
    return [*lines, *(as_text(note) for note in card.training.get("notes", ()))]


def _agreement(card: Card) -> str:
    found = card.figures["agreement"]
    low, high = found["mean_difference_interval"]
    return (
        f"On {found['pictures']} of them its probabilities differ from `learn.predict`'s by "
        f"{found['mean_difference']:.4f} ({low:.4f} to {high:.4f}) on average, by "
        f"{found['greatest_difference']:.4f} at most, and {share(found, 'same_label')} get the "
        "same answer."
    )


def _previous(card: Card) -> str:
    before = card.figures["previous"]
    own = before["error_on_its_own_card"]
    on_its_own = ""
    if own is not None:  # cards of older versions have no interval
        told = before.get("error_on_its_own_card_interval")
        figure = share(before, "error_on_its_own_card") if told else in_percent(own)
        on_its_own = f"; its own card said {figure} of {before['pictures_on_its_own_card']}"
    return (
        f"The model before this one errs on {share(before, 'error')} of the same validation "
        f"pictures, with their labels as they are now{on_its_own}. "
        f"{sentences.difference(before)}"
    )


def _unequal(card: Card) -> str:
    """A sentence about classes with far fewer training pictures than the largest class."""
    counts = {
        label: sum(
            count["train"]
            for folder, count in card.training["pictures"].items()
            if label in _labels_of(folder, card)
        )
        for label in card.labels
    }
    most = max(counts, key=lambda label: counts[label])
    poor = [label for label in counts if UNEQUAL * counts[label] <= counts[most]]
    if not poor:
        return ""
    listed = ", ".join(f"{counts[label]} of {as_text(card.name_of(label))}" for label in poor)
    first = as_text(card.name_of(most))
    return (
        f"The classes are unequal: it learnt from {counts[most]} pictures of {first}, but "
        f"from {listed}. What so few pictures show it may hardly know, and what it says of them is "
        "judged on few as well: more pictures of those classes help most."
    )


def _labels_of(folder: str, card: Card) -> list[str]:
    return folder.split(LABEL_SEPARATOR) if card.task == "multi" else [folder]


def _settings(training: Mapping[str, Any]) -> str:
    recipe = training["recipe"]
    return (
        f"{_fitting(training)} at {recipe['image_size']} px, resize "
        f"`{recipe['resize']}`, augmentation {'on' if recipe['augment'] else 'off'}, learning "
        f"rate {recipe['learning_rate']}, seed {recipe['seed']}."
    )


def _fitting(training: Mapping[str, Any]) -> str:
    backbone, epochs = training["recipe"]["backbone"], training["recipe"]["epochs"]
    count = len([row for row in training["epochs"] if row])
    ran = f"{count} epoch{'s' * (count != 1)}"
    if training.get("head") and not count:
        return f"The last layers of a {backbone} were trained with fastai, the others frozen,"
    if not count:
        return f"A {backbone} was trained with fastai, for how many epochs is not recorded,"
    if not training.get("head"):
        return f"A {backbone} was trained with fastai for {ran}"
    return (
        f"A {backbone} was fine-tuned with fastai for {ran} of at most {epochs}, after its last "
        "layers alone,"
    )


def _made(card: Card) -> str:
    named = ("kezako", "fastai", "torch")
    made_with = [f"{name} {card.libraries[name]}" for name in named if name in card.libraries]
    day = str(card.training.get("finished", ""))[:10]
    return f"Finished {day}".rstrip() + (f", with {', '.join(made_with)}." if made_with else ".")


def _limits(card: Card) -> str:
    classes = card.figures["validation"]["classes"]
    worst = max(classes, key=lambda label: float(classes[label]["error"]))
    found = classes[worst]
    most = (
        f"; here it erred most often on {as_text(card.name_of(worst))}, {found['wrong']} of "
        f"{found['pictures']} times"
    )
    return (
        "It knows only the classes above, from pictures like those it learnt. The validation "
        "pictures come from the same places, so on others it may err more often than it says here"
        f"{most * bool(found['wrong'])}. Do not use it where a wrong answer could harm somebody."
    )


def _examples(card: Card) -> str:
    """Whose the examples are; empty if there are none."""
    if not card.examples:
        return ""
    own = sum(example.credit is None for example in card.examples)
    told = [f"{own} of the maker's own pictures"] * bool(own)
    for example in card.examples:
        if credit := example.credit:
            linked = (
                f"[{as_text(credit.text)}](<{credit.url}>)" if credit.url else as_text(credit.text)
            )
            told.append(linked)
    return f"`examples/` holds pictures to try: {'; '.join(told)}."


def _counts(pictures: dict[str, dict[str, int]], card: Card) -> str:
    rows = ["| pictures | training | validation |", "|---|---|---|"]
    rows += [f"| {as_text(card.name_of(folder))} | {count['train']} | {count['valid']} |"
             for folder, count in pictures.items()]  # fmt: skip
    return "\n".join(rows)
