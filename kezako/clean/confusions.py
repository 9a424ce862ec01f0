"""Classes that a model confuses: its mistakes beside pictures of what it took them for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from kezako.clean.evidence import Array, Floats, directions
from kezako.clean.suspects import in_short, look
from kezako.clean.tiles import RED, Tile, draw_tiles
from kezako.dataset.row import Row
from kezako.export.crossfit import unseen_answers
from kezako.model.decision import probabilities
from kezako.recipe import LABEL_SEPARATOR, NEITHER, Recipe
from kezako.workspace import Workspace

KINDS = 5  # pairs of classes, most confused first
EACH = 2  # pictures per pair, highest loss first


@dataclass(frozen=True)
class Mistake:
    """One validation picture that was classified wrongly."""

    path: Path
    shown: str  # its label: a class, or several joined by "+", or "neither"
    said: str
    loss: float
    probability: float  # of the predicted label; for multi-label, of the label that is most wrong


def find_mistakes(interpretation: Any, recipe: Recipe) -> list[Mistake]:
    """The validation pictures that a fastai learner classifies wrongly, highest loss first.

    `interpretation` is a fastai `Interpretation`; thresholds are cross-fitted as for the card.
    """
    multi = recipe.task == "multi"
    logits, targets = interpretation.learn.get_preds(dl=interpretation.dl, act=_as_it_is)
    raw = logits.double().numpy()
    answers = unseen_answers(raw, targets.long().numpy(), multi)  # as counted on the card
    p, said, given = probabilities(raw, multi), answers.said, answers.shown  # (N, C) each
    labels = [str(label) for label in interpretation.dl.vocab]
    mistakes = [
        Mistake(
            Path(path), _joined(labels, given[i]), _joined(labels, said[i]),
            _loss(p[i], given[i], multi), _probability(answers.p[i], said[i], given[i]),
        )
        for i, path in enumerate(interpretation.dl.items)
        if answers.wrong[i].any()
    ]  # fmt: skip
    return sorted(mistakes, key=lambda mistake: -mistake.loss)


def show_confusions(interpretation: Any, recipe: Recipe, workspace: Workspace) -> Figure | None:
    """For the most confused classes, each mistake beside the most similar training picture.

    Similarity is measured with the pretrained weights, which have not seen the labels. None if
    nothing was wrong. Raises `KezakoError` if there are too few pictures.
    """
    rows, _, features = look(recipe, workspace)
    likeness = _Likeness(recipe, rows, directions(features.views), workspace.folder(recipe.name))
    held: dict[tuple[str, str], list[Mistake]] = defaultdict(list)
    for mistake in find_mistakes(interpretation, recipe):
        held[mistake.shown, mistake.said].append(mistake)
    most = sorted(held, key=lambda kind: -len(held[kind]))[:KINDS]
    lines = [
        [
            tile
            for mistake in held[kind][:EACH]
            for tile in (_wrong(mistake), likeness.tile(mistake))
        ]
        for kind in most
    ]
    return draw_tiles(lines, 2 * EACH, recipe.labels) if lines else None


class _Likeness:
    """Finds the training picture that is most similar to another picture."""

    def __init__(self, recipe: Recipe, rows: list[Row], features: Floats, folder: Path):
        self._recipe, self._rows, self._features, self._folder = recipe, rows, features, folder
        # By class and name: a training reads its pictures from its own folder of links.
        self._place = {(row.folder, Path(str(row.file)).name): i for i, row in enumerate(rows)}

    def tile(self, mistake: Mistake) -> Tile:
        """The most similar picture of the class that this one was taken for."""
        shows = [
            i
            for i, row in enumerate(self._rows)
            if row.split == "train" and self._shows(row) == mistake.said
        ]
        place = self._place.get((mistake.path.parent.name, mistake.path.name))
        if not shows or place is None:  # None: it was moved in the meantime
            return Tile(None, f"no training picture\nshows {mistake.said}")
        cosines = self._features[shows] @ self._features[place]
        row = self._rows[shows[int(cosines.argmax())]]
        return Tile(self._folder / str(row.file), f"training: {mistake.said}\n{in_short(row)}")

    def _shows(self, row: Row) -> str:
        shown = self._recipe.labels_of(row.folder)
        return LABEL_SEPARATOR.join(label for label in self._recipe.labels if label in shown) or (
            NEITHER
        )


def _wrong(mistake: Mistake) -> Tile:
    return Tile(
        mistake.path,
        f"is {mistake.shown}, said {mistake.said}\n"
        f"{100 * mistake.probability:.0f} % sure, loss {mistake.loss:.2f}",
        RED,
    )


def _joined(labels: list[str], chosen: Any) -> str:
    named = [label for label, is_chosen in zip(labels, chosen, strict=True) if is_chosen]
    return LABEL_SEPARATOR.join(named) or NEITHER


def _loss(p: Array, given: Any, multi: bool) -> float:
    right = np.where(given, p, 1 - p) if multi else p[given]
    return float(-np.log(np.maximum(right, 1e-9)).mean())


def _probability(p: Array, said: Any, shown: Any) -> float:
    """How sure the model was of its answer; for multi-label, of the label that is most wrong."""
    sure = np.where(said, p, 1 - p)
    return float(sure[said != shown].max() if said.sum() != 1 else p[said].max())


def _as_it_is(activations: Any) -> Any:
    return activations
