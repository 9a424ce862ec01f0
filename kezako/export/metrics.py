"""How good a model is, computed from its answers; needs no model.

Answers for N pictures of C classes are arrays (N, C): `p`, the probabilities; `said`, the classes
that are named; `shown`, those that are in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kezako.export.crossfit import Answers
from kezako.export.intervals import CROSSFITTED, Interval, of_answers, of_mean, of_share
from kezako.model.decision import Array


def losses(answers: Answers) -> Array:
    """Cross-entropy of each picture in nats, (N,); for multi-label, the mean binary one."""
    p = np.clip(answers.p, 1e-12, 1 - 1e-12)
    if answers.multi:
        return np.asarray(-np.log(np.where(answers.shown, p, 1 - p)).mean(axis=1))
    return np.asarray(-np.log(p[answers.shown]))


def share(count: int, of: int, doubt: float = 1) -> dict[str, Any]:
    """An error rate with its counts and its interval; `doubt` as in `of_answers`."""
    return {"wrong": count, "pictures": of, "error": count / of} | interval(
        "error", of_share(count / doubt, of / doubt)
    )


def interval(name: str, found: Interval | None) -> dict[str, Any]:
    """An interval as stored in a card, next to the figure `name`."""
    return {f"{name}_interval": None if found is None else list(found)}


def validation(answers: Answers, labels: Sequence[str]) -> dict[str, Any]:
    """Error, error by class, log loss and, for single-label, the confusion matrix."""
    wrong = answers.wrong
    loss = losses(answers)
    classes = (by_label if answers.multi else by_class)(answers, labels)
    found = {
        "pictures": len(wrong),
        "log_loss": float(loss.mean()),
        **interval("log_loss", of_mean(loss)),
        "error": float(wrong.mean()),
        **interval("error", of_answers(wrong, CROSSFITTED if answers.multi else 1)),
        "error_by_class": {label: counted["error"] for label, counted in classes.items()},
        "classes": classes,
    }
    if not answers.multi:
        return found | {"confusion": confusion(answers)}
    pictures = np.asarray(wrong.any(axis=1, keepdims=True))
    return found | {
        "wrong_pictures": float(pictures.mean()),
        **interval("wrong_pictures", of_answers(pictures, CROSSFITTED)),
    }


def by_class(answers: Answers, labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Label -> the error among its pictures; labels without pictures are left out."""
    wrong = answers.wrong[:, 0]
    return {
        label: share(int(wrong[there].sum()), int(there.sum()))
        for label, there in zip(labels, answers.shown.T, strict=True)
        if there.any()
    }


def by_label(answers: Answers, labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Label -> the error among all pictures, and the share missed among those that show it."""
    found = {}
    for label, wrong, there in zip(labels, answers.wrong.T, answers.shown.T, strict=True):
        missed, shown = int((wrong & there).sum()), int(there.sum())
        found[label] = share(int(wrong.sum()), len(wrong), CROSSFITTED) | {"shown": shown}
        if shown:
            missing = interval("missed", of_share(missed / CROSSFITTED, shown / CROSSFITTED))
            found[label] |= {"missed": missed / shown, **missing}
    return found


def confusion(answers: Answers) -> list[list[int]]:
    """Confusion matrix for single-label. Rows: true class; columns: answer."""
    matrix = answers.shown.T.astype(int) @ answers.said.astype(int)
    return [[int(value) for value in row] for row in matrix]
