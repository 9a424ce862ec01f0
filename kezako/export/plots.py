"""Plots that fastai does not have: counts, multi-label confusions, reliability, changes."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown
from matplotlib.axes import Axes

from kezako.export.card import model_card
from kezako.export.changes import ALL, Changes
from kezako.export.crossfit import fit_rule, unseen_answers
from kezako.export.intervals import of_share, of_two_shares
from kezako.export.run import naming
from kezako.fonts import legible
from kezako.model.bundle import Card
from kezako.model.decision import Array, Integers
from kezako.model.wording import in_percent
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.train.fit import error_in
from kezako.train.quick import HeadFit

from fastai.learner import Learner  # isort: skip  (after kezako.train: see there)


def plot_counts(pictures: Pictures) -> Axes:
    """Training and validation pictures per class, as bars."""
    counts = pictures.counts()
    names = [pictures.recipe.name_of(folder) for folder in counts]
    train = [trained for trained, _ in counts.values()]
    valid = [judged for _, judged in counts.values()]
    rows = range(len(names))
    with legible(names):
        _, axes = plt.subplots(figsize=(7, 0.8 + 0.45 * len(names)))
        axes.barh(rows, train, label="training")
        axes.barh(rows, valid, left=train, label="validation")
        for row, (first, second) in enumerate(zip(train, valid, strict=True)):
            axes.text(first + second, row, f" {first} + {second}", va="center")
        axes.set_yticks(rows, names)
        axes.invert_yaxis()
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        axes.set_xlabel("pictures")
        axes.margins(x=0.15)
    return axes


def plot_label_confusions(interpretation: Any, recipe: Recipe | None = None) -> None:
    """For each label of a multi-label model: shown or not, named or not, as counted on the card.

    With its recipe, labels are called by their display names.
    """
    name_of = recipe.name_of if recipe else str
    labels = [name_of(str(label)) for label in interpretation.dl.vocab]
    answers = unseen_answers(*_outputs(interpretation), multi=True)
    with legible(labels):
        _, axes = plt.subplots(1, len(labels), figsize=(3.2 * len(labels), 3.2), squeeze=False)
        for column, (label, axis) in enumerate(zip(labels, axes[0], strict=True)):
            pairs = answers.shown[:, column].astype(int), answers.said[:, column].astype(int)
            counts = np.zeros((2, 2), dtype=int)
            np.add.at(counts, pairs, 1)
            axis.imshow(counts, cmap="Blues")
            for (row, col), count in np.ndenumerate(counts):
                axis.text(col, row, str(count), ha="center", va="center")
            axis.set_xticks([0, 1], ["not said", "said"])
            axis.set_yticks([0, 1], ["is not", "is"])
            axis.set_title(label)


def plot_worst(interpretation: Any, count: int, multi: bool, **settings: Any) -> None:
    """fastai's `plot_top_losses`, naming the labels that the page would name."""
    if not multi:
        interpretation.plot_top_losses(count, **settings)
        return
    raw, targets = _outputs(interpretation)
    rule = fit_rule(raw, targets, multi=True)
    odds = rule.temperature * np.log(rule.thresholds / (1 - rule.thresholds))  # before T
    with naming(interpretation.learn, 1 / (1 + np.exp(-odds))):
        interpretation.plot_top_losses(count, **settings)


def _outputs(interpretation: Any) -> tuple[Array, Integers]:
    """The logits (N, C) of a learner's validation pictures before the temperature, and targets."""
    raw, targets = interpretation.learn.get_preds(dl=interpretation.dl, act=_as_it_is)
    return raw.double().numpy(), targets.long().numpy()


def plot_reliability(card: Card) -> Axes:
    """Confidence against accuracy of unseen pictures, by bins, each with its interval."""
    bins = card.figures["calibration"]["reliability"]
    _, axes = plt.subplots(figsize=(4.6, 4.2))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--")
    axes.vlines(
        [entry["said"] for entry in bins],
        *zip(*(entry["right_interval"] for entry in bins), strict=True),
        color="lightgrey",
    )
    axes.scatter(
        [entry["said"] for entry in bins],
        [entry["right"] for entry in bins],
        s=[12 + 2 * entry["pictures"] for entry in bins],
    )
    axes.set_xlabel("probability said")
    axes.set_ylabel("share right")
    axes.set_title("larger dot: more answers; line: 95 % interval", fontsize=9)
    axes.set_xlim(0, 1.03)
    axes.set_ylim(0, 1.03)
    return axes


def plot_changes(changes: Changes) -> Axes | None:
    """The error of each class before and after, as two dots; None for the first training."""
    if changes.before is None:
        return None
    names = [name for name in changes.after if name in changes.before]
    errors = [(changes.before[name], changes.after[name]) for name in names] + [changes.errors]
    before, after = (100 * np.array(column) for column in zip(*errors, strict=True))
    rows = range(len(errors))
    within = [100 * np.array(changes.intervals[name]) for name in [*names, ALL]]  # of this one
    shown = [changes.names.get(name, name) for name in names]
    with legible(shown):
        _, axes = plt.subplots(figsize=(7, 1.2 + 0.45 * len(errors)))
        axes.hlines(rows, *zip(*within, strict=True), color="tab:blue", linewidth=1, zorder=1,
                    label="95 % interval")  # fmt: skip
        axes.hlines(rows, before, after, color="lightgrey", linewidth=3, zorder=1)
        axes.scatter(before, rows, color="grey", label="the model before", zorder=2)
        axes.scatter(after, rows, color="tab:blue", label="this one", zorder=3)
        ends = np.maximum(np.maximum(before, after), [high for _, high in within])
        for row, value in zip(rows, ends, strict=True):
            axes.text(value, row, f"   {before[row]:.1f} → {after[row]:.1f} %", va="center")
        axes.set_yticks(rows, [*shown, "all"])
        axes.invert_yaxis()
        axes.set_xlim(0, max(1.0, 1.3 * float(ends.max())))
        axes.set_xlabel("error on the validation pictures, %")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return axes


def plot_gain(first: HeadFit | None, learn: Learner) -> Markdown:
    """The error after `fit_head`, and after each epoch of the full fit, against time in seconds."""
    lines, count = learn.epoch_lines, len(learn.dls.valid_ds)
    errors = [error_in(row) for row in lines.rows]
    if first is None:
        start, said = 0.0, []
    else:
        start, said = (
            first.seconds,
            [f"The last layers alone took {_told(first.seconds, first.error, count)}."],
        )
    if errors:
        said.append(
            f"{len(errors)} epoch{'s' * (len(errors) > 1)} over everything took "
            f"{_told(lines.seconds[-1], errors[-1], count)}."
        )
    if said:
        several = any(metric.name == "accuracy_multi" for metric in learn.metrics)
        what = "errors" if not several else "wrong answers, a label being named from 50 % on,"
        said.append(
            f"Each is the share of {what} among {count} validation pictures; brackets hold 95 % "
            "confidence intervals."
        )
    if errors and first:
        low, high = of_two_shares(first.error, errors[-1], count)
        said += ["So small a difference may be chance."] * (low <= 0 <= high)
    _, axes = plt.subplots(figsize=(6, 3.4))
    axes.plot([start + seconds for seconds in lines.seconds], [100 * e for e in errors], "o-",
              label="everything, each epoch")  # fmt: skip
    if first is not None:
        axes.plot(
            first.seconds, 100 * first.error, "*", markersize=14, label="the last layers alone"
        )
    axes.update_datalim([(0, 0)])  # starts the scale at 0, also if all errors are equal
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds")
    axes.set_ylabel("validation error, %")
    axes.legend(frameon=False)
    return Markdown(" ".join(said))


def _told(seconds: float, error: float, pictures: int) -> str:
    low, high = of_share(error * pictures, pictures)
    return (
        f"{seconds:.0f} s and errs on {in_percent(error)} ({100 * low:.1f} to {in_percent(high)})"
    )


def _as_it_is(activations: Any) -> Any:
    return activations


def show_card(card: Card) -> Markdown:
    """The model card, as in the bundle's README.md, without images."""
    return Markdown("\n".join(line for line in model_card(card).splitlines() if "![" not in line))
