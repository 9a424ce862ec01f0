"""Logits -> probabilities -> the classes that are named.

The page, the API, cards and reports all use these functions, so the figures count the same
answers that visitors see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from kezako.model.bundle import Card

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

HALF = 0.5  # multi-label: the threshold of a label for which none was chosen


def probabilities(
    logits: npt.NDArray[np.floating[Any]],  # (N, C)
    multi: bool,  # whether a picture may show several classes, or none
) -> Array:
    """Softmax over the classes, or a sigmoid for each of several labels, (N, C)."""
    logits = logits.astype(np.float64)
    if multi:
        falling = np.exp(-np.abs(logits))  # never overflows
        return np.asarray(np.where(logits >= 0, 1, falling) / (1 + falling))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def named(
    p: Array,  # (N, C), as `probabilities` gives them
    multi: bool,
    thresholds: Array | float = HALF,  # (C,), used for multi-label only
) -> Flags:
    """The classes that are named, (N, C): the most probable, or all that reach their threshold."""
    if multi:
        return np.asarray(p >= thresholds)
    return np.eye(p.shape[1], dtype=bool)[p.argmax(axis=1)]


def thresholds_of(card: Card) -> Array:
    """A card's threshold for each label, (C,)."""
    return np.array([card.thresholds.get(label, HALF) for label in card.labels], dtype=np.float64)
