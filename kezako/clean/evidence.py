"""What the pictures of a recipe say about each other: arithmetic on features, no model.

Shapes: N pictures, C labels, F features, V views of each picture, K neighbours. `given` (N, C)
is 1 where a picture's folder says that it shows a label; `p` (N, C) is its probability.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from kezako.errors import KezakoError
from kezako.model.decision import named

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

FOLDS = 5
STRENGTH = 1.0  # `C` of the regression; 0.1 finds 1 point fewer flipped labels, 10 finds 4 fewer
NEIGHBOURS = 10  # 5 find 9 points fewer, 20 and 40 the same
NARROWNESS = 10.0  # how much more near neighbours count than far ones
CHUNK = 1000  # pictures compared with all others at once: limits memory


@dataclass(frozen=True)
class Evidence:
    """The input of all checks."""

    labels: tuple[str, ...]  # the columns of `given`
    multi: bool  # multi-label: a picture may have several labels, or none
    folders: tuple[str, ...]  # (N,) each picture's folder
    given: Integers  # (N, C)
    p: Array  # (N, C), from a model that was not trained on this picture
    votes: Array  # (N, C), weighted share of the nearest neighbours that show a label
    distance: Array  # (N,) to the nearest neighbours: 0 the same direction, 1 unrelated
    rivals: tuple[tuple[str, ...], ...]  # (N,) other folders that hold the same picture
    leaks: tuple[str, ...]  # (N,) for a validation picture, its copy in training; or empty
    sharpness: Floats  # (N,)
    drawn: Floats  # (N,)
    shortest: Integers  # (N,) pixels of the shorter side


def out_of_fold(
    views: Floats,  # (V, N, F)
    given: Integers,
    # (N,) near-duplicates share one, and are never in both training and test folds.
    groups: Integers,
    multi: bool,
    seed: int = 0,
) -> Array:
    """`p` (N, C) for each picture, from a logistic regression on the other folds."""
    p = np.zeros(given.shape)
    for train, test in _folds(given, groups, seed):
        scaler = StandardScaler().fit(views[:, train].reshape(-1, views.shape[2]))
        inputs = [_scaled(scaler, view[train]) for view in views]
        model = _Regression(np.concatenate(inputs), np.tile(given[train], (len(views), 1)), multi)
        p[test] = model.probabilities([_scaled(scaler, view[test]) for view in views])
    return p


def directions(
    views: Floats,  # (V, N, F)
) -> Floats:
    """Standardised features (N, F) of length 1, whose dot products are cosine similarities."""
    features = StandardScaler().fit_transform(views.mean(axis=0))
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    return np.asarray(features)


def nearest(
    views: Floats,  # (V, N, F)
    groups: Integers,  # (N,) neighbours from the same group do not count
    count: int = NEIGHBOURS,
) -> tuple[Integers, Array]:
    """The nearest neighbours of each picture, as indices (N, K), and their similarity (N, K)."""
    features = directions(views)
    count = min(count, len(features) - 1)
    indices, similarities = [], []
    for start in range(0, len(features), CHUNK):
        similarity = features[start : start + CHUNK] @ features.T  # (chunk, N)
        similarity[groups[start : start + CHUNK, None] == groups[None]] = -1
        best = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        indices.append(best)
        similarities.append(np.take_along_axis(similarity, best, axis=1))
    return np.concatenate(indices), np.concatenate(similarities).astype(np.float64)


def vote(indices: Integers, similarities: Array, given: Integers) -> Array:
    """The share (N, C) of the neighbours that show each label, weighted by similarity."""
    weights = np.exp(NARROWNESS * similarities)  # (N, K)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("nk,nkc->nc", weights, given[indices].astype(np.float64))


def own(p: Array, given: Integers) -> Array:
    """The probability (N,) of a picture's labels: that of the least probable one."""
    return np.asarray(np.where(given == 1, p, 1 - p).min(axis=1))


def likeliest(p: Array, multi: bool) -> Integers:
    """The most probable labels (N, C) of each picture."""
    return named(p, multi).astype(np.int64)


def unusual(values: npt.ArrayLike) -> Array:
    """How many robust standard deviations (N,) each value is above the median."""
    values = np.asarray(values, dtype=np.float64)
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    return np.asarray((values - middle) / max(spread, 1e-9))


class _Regression:
    """Logistic regression over the classes, or one per label for multi-label."""

    def __init__(self, inputs: Floats, given: Integers, multi: bool):
        self._count = given.shape[1]
        if multi:
            self._models = [_fitted(inputs, column) for column in given.T]
        else:
            self._models = [_fitted(inputs, given.argmax(axis=1))]
        self._multi = multi

    def probabilities(self, views: list[Floats]) -> Array:
        """`p` (N, C): the mean over views, each (N, F)."""
        if self._multi:
            columns = [_probabilities(model, views, 2)[:, 1] for model in self._models]
            return np.stack(columns, axis=1)
        return _probabilities(self._models[0], views, self._count)


def _fitted(inputs: Floats, targets: Integers) -> LogisticRegression | int:
    """A model, or the only class if all pictures have the same."""
    if (targets == targets[0]).all():
        return int(targets[0])
    return LogisticRegression(C=STRENGTH, max_iter=300).fit(inputs, targets)


def _probabilities(model: LogisticRegression | int, views: list[Floats], classes: int) -> Array:
    p = np.zeros((len(views[0]), classes))
    if isinstance(model, int):
        p[:, model] = 1
    else:
        p[:, model.classes_] = np.mean([model.predict_proba(view) for view in views], axis=0)
    return p


def _folds(given: Integers, groups: Integers, seed: int) -> list[tuple[Integers, Integers]]:
    _, strata = np.unique(given, axis=0, return_inverse=True)
    fewest = min(len(np.unique(groups)), int(np.bincount(strata.ravel()).max()))
    if fewest < 2:
        raise KezakoError("There are too few pictures to compare; gather more of each class.")
    folds = StratifiedGroupKFold(min(FOLDS, fewest), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class may have fewer pictures than folds
        pairs = folds.split(strata, strata.ravel(), groups)
        return [(train, test) for train, test in pairs if len(test)]


def _scaled(scaler: StandardScaler, features: Floats) -> Floats:
    # Also divided by the root of F, so that one `STRENGTH` suits backbones of every width.
    return np.asarray(scaler.transform(features) / np.sqrt(features.shape[1]), dtype=np.float32)
