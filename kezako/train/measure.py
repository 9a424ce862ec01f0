"""The figures of a card, measured on the model that the page runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score
from tqdm.auto import tqdm

from kezako.bundle import BundleError, Card
from kezako.classifier import Classifier, Scores
from kezako.pictures import NotAPicture
from kezako.train import figures

SAME_LABEL = 0.995  # int8 is shipped where at least this share of answers stays
WORSE = 0.01  # and the log loss grows by this share at most


def score(classifier: Classifier, paths: Sequence[Path], doing: str = "") -> Scores:
    """The scores of many pictures, one at a time as a page asks them."""
    logits, features = [], []
    for path in tqdm(paths, desc=doing, leave=False, unit="picture"):
        scores = classifier.run(classifier.prepare(path)[None])
        logits.append(scores.logits)
        features.append(scores.features)  # the maps of thousands would fill the memory
    return Scores(np.concatenate(logits), np.concatenate(features))


def same_answers(first: Scores, second: Scores, multi: bool) -> float:
    """The share of answers that two models give alike."""
    if multi:
        return float(((first.logits >= 0) == (second.logits >= 0)).mean())
    return float((first.logits.argmax(1) == second.logits.argmax(1)).mean())


def keeps_the_answers(
    exact: Scores, approximate: Scores, targets: figures.Integers, multi: bool
) -> bool:
    """Whether `approximate` gives the same answers as `exact`, as surely.

    The answers, because they are what a visitor sees. The log loss, because it weighs every
    picture. The error would let a single picture decide: among a few hundred, one that rounding
    flips the wrong way is noise, and just as many flip the right way.
    """
    before, after = [
        figures.log_loss(scores.logits.astype(np.float64), targets, multi)
        for scores in (exact, approximate)
    ]
    alike = same_answers(exact, approximate, multi) >= SAME_LABEL
    return alike and after <= before * (1 + WORSE)


def validation(logits: figures.Array, targets: figures.Integers, card: Card) -> dict[str, Any]:
    """Error, error by class and, for one label a picture, the confusion matrix."""
    multi = card.task == "multi"
    p = figures.probabilities(logits, multi)
    found: dict[str, Any] = {
        "pictures": len(targets),
        "log_loss": figures.log_loss(logits, targets, multi),
    }
    if multi:
        said = (p >= np.array([card.thresholds.get(label, 0.5) for label in card.labels])).astype(
            int
        )
        return found | {
            "error": float((said != targets).mean()),
            "wrong_pictures": float((said != targets).any(axis=1).mean()),
            "error_by_class": figures.error_by_label(said, targets, card.labels),
        }
    said = p.argmax(axis=1)
    return found | {
        "error": float((said != targets).mean()),
        "error_by_class": figures.error_by_class(said, targets, card.labels),
        "confusion": figures.confusion(said, targets, len(card.labels)),
    }


def calibration(
    raw: figures.Array,  # logits before the temperature
    logits: figures.Array,  # after
    targets: figures.Integers,
    multi: bool,
) -> dict[str, Any]:
    """How far what is said lies from what is right, and the points of the reliability plot."""
    before, after = figures.unseen_calibration(raw, targets, multi)
    return {
        "before": before,
        "after": after,
        "bins": figures.BINS,
        "reliability": figures.reliability(*figures.confidences(logits, targets, multi)),
    }


def none_of_these(
    classifier: Classifier,
    distances: npt.NDArray[np.floating[Any]],  # of the validation pictures
    folder: Path,  # of pictures that show none of the classes; need not exist
) -> dict[str, Any]:
    """How many validation pictures pass as known, and how many other pictures do not."""
    limit = classifier.card.known or 0.0
    found: dict[str, Any] = {"passed": float((distances <= limit).mean()), "pictures": 0}
    other = []
    paths = sorted(path for path in folder.glob("*") if path.is_file())
    for path in tqdm(paths, desc="other pictures", leave=False, unit="picture"):
        try:
            other.append(classifier.distance(classifier.run(classifier.prepare(path)[None])))
        except NotAPicture:
            continue
    if not other:
        return found
    truth = [0] * len(distances) + [1] * len(other)
    return found | {
        "pictures": len(other),
        "auroc": float(roc_auc_score(truth, np.concatenate([distances, other]))),
        "refused": float((np.array(other) > limit).mean()),
    }


def agreement(theirs: figures.Array, ours: figures.Array) -> dict[str, float]:
    """How near the page's probabilities (N, C) come to those of `learn.predict`."""
    difference = np.abs(theirs - ours)
    return {
        "pictures": len(ours),
        "mean_difference": float(difference.max(axis=1).mean()),
        "greatest_difference": float(difference.max()),
        "same_label": float((theirs.argmax(1) == ours.argmax(1)).mean()),
    }


def previous(
    bundle: Path,  # where the last training's bundle lies, if there was one
    labels: tuple[str, ...],
    paths: Sequence[Path],  # today's validation pictures
    targets: figures.Integers,
) -> dict[str, Any] | None:
    """What the last training's model makes of today's validation pictures; None without one.

    A picture's side of the split never changes, so that model has not learnt them either.
    """
    try:
        classifier = Classifier.open(bundle)
    except BundleError:
        return None
    if classifier.card.labels != labels:
        return None
    scores = score(classifier, paths, "asking the last model")
    now = validation(scores.logits.astype(np.float64), targets, classifier.card)
    then = classifier.card.figures.get("validation", {})
    return {
        "error": now["error"],
        "error_by_class": now["error_by_class"],
        "error_on_its_own_card": then.get("error"),
        "pictures_on_its_own_card": then.get("pictures"),
        "finished": classifier.card.training.get("finished"),
    }


def rounded(value: Any) -> Any:
    """A card's figures, however nested, to five digits after the point."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 5) if isinstance(value, float) else value
