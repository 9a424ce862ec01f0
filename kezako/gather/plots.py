"""Plots of a gathering: the first pictures, and what happened to the rest."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kezako.dataset.manifest import Manifest
from kezako.fonts import legible
from kezako.gather.summary import Summary
from kezako.pictures import NotAPicture, open_picture, shrink
from kezako.recipe import Recipe
from kezako.workspace import Workspace

SIDE = 160  # pixels of a picture's longest side in the grid
REASONS = 8  # shown as bars of their own; the rarer ones share one
# Green for kept pictures, then one colour per reason and one for the rarer reasons.
_COLOURS = ("green", "orange", "red", "purple", "brown", "pink", "gray", "olive", "cyan", "blue")


def show_first(
    recipe: Recipe,
    workspace: Workspace,
    count: int = 8,  # pictures per class
) -> Figure:
    """One row of pictures per class: the first ones that were kept."""
    first: dict[str, list[str]] = {folder: [] for folder in recipe.folders}
    with Manifest(workspace.folder(recipe.name), read_only=True) as manifest:
        for row in manifest.on_disk():
            first.setdefault(row.folder, []).append(str(row.file))
    with legible(first):
        figure, grid = plt.subplots(
            len(first), count, figsize=(1.6 * count, 1.7 * len(first)), squeeze=False
        )
        for (folder, files), axes in zip(first.items(), grid, strict=True):
            for axis in axes:
                axis.set_axis_off()
            for axis, file in zip(axes, files, strict=False):
                with suppress(NotAPicture):  # a damaged picture leaves its place empty
                    picture = open_picture(workspace.folder(recipe.name) / file, needed=SIDE)
                    axis.imshow(shrink(picture, SIDE))
            axes[0].set_title(f"{folder} ({len(files)})", loc="left")
        figure.tight_layout()
    plt.close(figure)  # shown once, as the cell's value
    return figure


def plot_yield(summary: Summary) -> Axes:
    """Bars per class of what happened to every URL and file tried: kept, or why not."""
    names = list(summary.reasons)
    reasons = _commonest(summary)
    rows = range(len(names))
    with legible(names):
        _, axes = plt.subplots(figsize=(9, 1.2 + 0.5 * len(names)))
        left = np.zeros(len(names))
        for (reason, counts), colour in zip(reasons.items(), _COLOURS, strict=False):
            widths = np.array([counts[name] for name in names])
            bars = axes.barh(rows, widths, left=left, label=reason, color=f"tab:{colour}")
            axes.bar_label(bars, [str(n) if n else "" for n in widths], label_type="center")
            left += widths
        axes.set_yticks(rows, names)
        axes.invert_yaxis()
        axes.set_xlabel("pictures tried")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False)
    return axes


def _commonest(summary: Summary) -> dict[str, Counter[str]]:
    """Reason -> class -> count: kept first, then the most common, then the rest together."""
    by_reason: dict[str, Counter[str]] = defaultdict(Counter)
    for name, counts in summary.reasons.items():
        for reason, number in counts.items():
            by_reason[reason][name] += number
    kept = by_reason.pop("kept", Counter())
    order = sorted(by_reason, key=lambda reason: -by_reason[reason].total())
    shown = {"kept": kept, **{reason: by_reason[reason] for reason in order[:REASONS]}}
    if rest := order[REASONS:]:
        shown["other reasons"] = sum((by_reason[reason] for reason in rest), Counter())
    return shown
