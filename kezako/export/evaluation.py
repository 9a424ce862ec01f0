"""The figures of a card, measured with the exported model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from tqdm.auto import tqdm

from kezako.export import metrics
from kezako.export.calibration import (
    BINS,
    calibration_error,
    calibration_interval,
    reliability,
    temperature_interval,
    wrong_pictures,
)
from kezako.export.crossfit import (
    NONE,
    Answers,
    Floats,
    fit_rank,
    fit_rule,
    passing_interval,
    unseen_answers,
    unseen_passes,
    unseen_refusals,
)
from kezako.export.intervals import (
    CROSSFITTED,
    of_answers,
    of_auroc,
    of_difference,
    of_mean,
    of_share,
)
from kezako.export.metrics import interval
from kezako.model.bundle import BundleError, Card
from kezako.model.classifier import Classifier, Scores
from kezako.model.decision import Array, Flags, Integers, named, probabilities, thresholds_of
from kezako.pictures import NotAPicture

SAME_LABEL = 0.995  # int8 is used if at least this share of answers stays the same
WORSE = 0.01  # and the log loss grows by at most this share
WORSE_BY = 0.01  # or by at most so many nats, about 1 % of the probability of the right class


@dataclass(frozen=True)
class Comparison:
    """How an approximate model's answers compare with the exact model's."""

    same: Flags  # (N, 1) or (N, C): whether the answers are the same
    losses: tuple[Array, Array]  # log loss of each picture (N,), exact and approximate

    @property
    def keeps_the_answers(self) -> bool:
        """Whether both give the same answers with about the same confidence.

        Answers are compared because they are what visitors see. The log loss is compared because
        every picture counts in it; as a share and in nats, because any change of a tiny loss is a
        large share. The error is not used: among a few hundred pictures, one that rounding makes
        wrong is noise, and just as many become right.
        """
        before, after = (float(losses.mean()) for losses in self.losses)
        as_surely = after <= before * (1 + WORSE) or after <= before + WORSE_BY
        return bool(self.same.mean() >= SAME_LABEL) and as_surely


def score(classifier: Classifier, paths: Sequence[Path], doing: str = "") -> Scores:
    """The scores of many pictures, classified one at a time as on the page; without maps."""
    logits, features = [], []
    for path in tqdm(paths, desc=doing, leave=False, unit="picture"):
        scores = classifier.run(classifier.prepare(path)[None])
        logits.append(scores.logits)
        # Maps are dropped: those of thousands would fill the memory.
        features.append(scores.features)
    return Scores(np.concatenate(logits), np.concatenate(features))


def compare(
    exact: Array,  # (N, C) logits, before the temperature
    approximate: Array,
    targets: Integers,
    multi: bool,
) -> Comparison:
    """Compare both models' answers, with the temperature and thresholds that fit the exact one.

    The log loss is at T = 1, because a temperature is not part of the model.
    """
    rule = fit_rule(exact, targets, multi)
    said = [
        named(probabilities(raw / rule.temperature, multi), multi, rule.thresholds)
        for raw in (exact, approximate)
    ]
    shown = targets == 1 if multi else np.eye(exact.shape[1], dtype=bool)[targets]
    losses = [
        metrics.losses(Answers(probabilities(raw, multi), each, shown, multi))
        for raw, each in zip((exact, approximate), said, strict=True)
    ]
    return Comparison(_same(said[0], said[1], multi), (losses[0], losses[1]))


def _same(first: Flags, second: Flags, multi: bool) -> Flags:
    """Which answers of two models are the same: (N, 1), or (N, C) for multi-label."""
    alike = np.asarray(first == second)
    return alike if multi else np.asarray(alike.all(axis=1, keepdims=True))


def calibration(raw: Array, targets: Integers, answers: Answers) -> dict[str, Any]:
    """Calibration error before and after scaling, and the points of the reliability plot.

    `raw` are the logits before the temperature; `answers` are the cross-fitted ones after it.
    """
    multi = answers.multi
    before = replace(answers, p=probabilities(raw, multi)).confidences
    after = answers.confidences
    return {
        "before": calibration_error(*before),
        **interval("before", calibration_interval(*before)),
        "after": calibration_error(*after),
        **interval("after", calibration_interval(*after)),
        "bins": BINS,
        "reliability": reliability(*after),
        "wrong": wrong_pictures(raw, targets, multi),
        **interval("temperature", temperature_interval(raw, targets, multi)),
    }


def none_of_these(
    classifier: Classifier,
    distances: Floats,  # (N,), of the validation pictures
    paths: Sequence[Path],  # pictures that show none of the classes, and did not set the limit
    something_else: Floats = NONE,  # (M,), distances of those that did
) -> dict[str, Any]:
    """How many unseen pictures of the classes are accepted, and how many others are refused."""
    limit = classifier.card.known or 0.0
    passes = unseen_passes(distances, something_else)
    rank = fit_rank(distances, something_else)
    found: dict[str, Any] = {
        "passed": float(passes.mean()),
        **interval("passed", passing_interval(passes, rank)),
        "pictures": 0,
    }
    if len(something_else):
        refused = int(unseen_refusals(distances, something_else).sum())
        found["something_else"] = {
            "pictures": len(something_else),
            "tightened": rank != fit_rank(distances),
            "refused": refused / len(something_else),
            **interval(
                "refused",
                of_share(refused / CROSSFITTED, len(something_else) / CROSSFITTED),
            ),
        }
    other = []
    for path in tqdm(paths, desc="other pictures", leave=False, unit="picture"):
        try:
            other.append(classifier.distance(classifier.run(classifier.prepare(path)[None])))
        except NotAPicture:
            continue
    if not other:
        return found
    truth = [0] * len(distances) + [1] * len(other)
    auroc = float(roc_auc_score(truth, np.concatenate([distances, other])))
    refused = int((np.array(other) > limit).sum())
    return found | {
        "pictures": len(other),
        "auroc": auroc,
        **interval("auroc", of_auroc(auroc, len(distances), len(other))),
        "refused": refused / len(other),
        **interval("refused", of_share(refused, len(other))),
    }


def files_in(folder: Path) -> list[Path]:
    """The files of a folder, such as `data/NAME/other`; none if there is no such folder."""
    return sorted(path for path in folder.glob("*") if path.is_file())


def precision(card: Card, int8: Comparison | None) -> dict[str, Any]:
    """How int8, if tried, compares with fp32; under another key if it is not used."""
    if int8 is None:
        return {}
    name = "same_label_as_fp32" if card.precision == "int8" else "same_label_in_int8"
    same = {name: float(int8.same.mean()), **interval(name, of_answers(int8.same))}
    for name, losses in zip(("log_loss_in_fp32", "log_loss_in_int8"), int8.losses, strict=True):
        same |= {name: float(losses.mean()), **interval(name, of_mean(losses))}
    return same


def agreement(theirs: Array, ours: Array, card: Card) -> dict[str, Any]:
    """How close the page's probabilities (N, C) are to those of `learn.predict`."""
    multi = card.task == "multi"
    difference = np.abs(theirs - ours).max(axis=1)
    said = [named(p, multi, thresholds_of(card)) for p in (theirs, ours)]
    same = _same(said[0], said[1], multi)
    return {
        "pictures": len(ours),
        "mean_difference": float(difference.mean()),
        **interval("mean_difference", of_mean(difference)),
        "greatest_difference": float(difference.max()),
        "same_label": float(same.mean()),
        **interval("same_label", of_answers(same)),
    }


def previous(
    bundle: Path,  # the bundle of the last training, if there was one
    labels: tuple[str, ...],
    paths: Sequence[Path],  # today's validation pictures
    targets: Integers,
    answers: Answers,  # of the new model, for the same pictures
) -> dict[str, Any] | None:
    """Figures of the last training's model on today's validation pictures; None if there is none.

    Pictures never change their set, so that model was not trained on them either. Temperature and
    thresholds are fitted again on them, as for the new model, so that the comparison is fair.
    """
    try:
        classifier = Classifier.open(bundle)
    except BundleError:
        return None
    card = classifier.card
    if card.labels != labels or (card.task == "multi") != answers.multi:
        return None
    raw = score(classifier, paths, "asking the last model").logits.astype(np.float64)
    last = unseen_answers(raw * card.temperature, targets, answers.multi)
    then = card.figures.get("validation", {})
    error, pictures = then.get("error"), then.get("pictures")
    of_then = then.get("error_interval")
    if of_then is None and pictures and not answers.multi:  # cards of Kezako 0.1 have none
        of_then = list(of_share(error * pictures, pictures))
    return beside(last, answers, labels) | {
        "error_on_its_own_card": error,
        "error_on_its_own_card_interval": of_then,
        "pictures_on_its_own_card": pictures,
        "finished": card.training.get("finished"),
    }


def beside(last: Answers, now: Answers, labels: Sequence[str]) -> dict[str, Any]:
    """The figures of the last model, and by how much the new one's error is lower."""
    found = metrics.validation(last, labels)
    doubt = CROSSFITTED if now.multi else 1
    kept = ("error", "error_interval", "error_by_class", "classes")
    return {
        **{name: found[name] for name in kept},
        "gained": float(last.wrong.mean() - now.wrong.mean()),
        **interval("gained", of_difference(last.wrong, now.wrong, doubt)),
    }


def rounded(value: Any) -> Any:
    """A card's figures, in any nesting, rounded to five decimal places."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 5) if isinstance(value, float) else value
