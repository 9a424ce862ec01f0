"""Calibrate and measure an imported network on your own pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kezako.export import evaluation, metrics, onnx
from kezako.export.calibration import fit_temperature
from kezako.export.crossfit import NONE, fit_limit, fit_thresholds, unseen_answers
from kezako.export.run import BANK, CALIBRATION, FP32_LAYERS, NEIGHBOURS
from kezako.importer.allowlist import Refused
from kezako.model.bundle import KNOWN, MODEL, Card, write_card
from kezako.model.classifier import Classifier, Floats, Scores, prepare
from kezako.model.decision import Array, Integers, probabilities
from kezako.model.ood import OutOfDistribution, unit
from kezako.names import spelling
from kezako.pictures import NotAPicture, open_picture
from kezako.recipe import LABEL_SEPARATOR, NEITHER, SOMETHING_ELSE, Task

LEAST = 20  # pictures; with fewer, neither a temperature nor a limit can be fitted
SEED = 42


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures with the classes that they show."""

    paths: list[Path]
    targets: Integers  # (N,) class indices, or (N, C) of 0 and 1 for multi-label
    unreadable: int  # pictures that could not be opened
    # Pictures that show none of the classes, for single-label; they set the limit.
    something_else: list[Path]


def find_labelled(folder: Path, labels: Sequence[str], task: Task) -> LabelledPictures:
    """The pictures in a folder with one sub-folder per class. Raises `Refused`."""
    if not folder.is_dir():
        raise Refused(f"There is no folder {folder}. Give one with a sub-folder for each class.")
    subfolders = sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    paths: list[Path] = []
    targets: list[Any] = []
    something_else: list[Path] = []
    unreadable = 0
    for subfolder in subfolders:
        target = _target(subfolder.name, labels, task)
        for path in sorted(path for path in subfolder.rglob("*") if path.is_file()):
            if not _opens(path):
                unreadable += 1
            elif target is None:
                something_else.append(path)
            else:
                paths.append(path)
                targets.append(target)
    if len(paths) < LEAST:
        raise Refused(
            f"{folder} holds {len(paths)} pictures in {len(subfolders)} sub-folders; give at least "
            f"{LEAST}, in a sub-folder for each of {', '.join(labels[:20])}."
        )
    return LabelledPictures(paths, np.asarray(targets), unreadable, something_else)


def _target(name: str, labels: Sequence[str], task: Task) -> Any:
    """What the pictures in a sub-folder show; None for something else."""
    spelt = {spelling(label): index for index, label in enumerate(labels)}
    if task == "single" and spelling(name) in spelt:
        return spelt[spelling(name)]
    if task == "single" and spelling(name) == spelling(SOMETHING_ELSE):
        return None
    parts = (
        []
        if spelling(name) == NEITHER
        else [spelling(part) for part in name.split(LABEL_SEPARATOR)]
    )
    if task == "multi" and set(parts) <= set(spelt):
        return [int(index in {spelt[part] for part in parts}) for index in range(len(labels))]
    raise Refused(
        f'The sub-folder "{name}" is no class of the file; its classes are '
        f"{', '.join(labels[:20])}."
    )


def _opens(path: Path) -> bool:
    try:
        open_picture(path)
    except NotAPicture:
        return False
    return True


def evaluate(
    card: Card,
    folder: Path,  # the bundle that is being written
    labelled: LabelledPictures,
    other: Path,  # folder of pictures that show none of the classes; need not exist
    rewrite: Callable[[float], None],  # writes model.onnx again with a temperature
) -> Card:
    """The card with temperature, limit, thresholds and figures; writes the bundle's files, too."""
    multi = card.task == "multi"
    raw = _raw(card, _scores(card, folder, labelled.paths, "checking the model"))
    # Nobody knows what an imported network was trained on: it may be these very pictures.
    card = replace(card, temperature=fit_temperature(raw, labelled.targets, multi, unseen=False))
    rewrite(card.temperature)
    exact = _scores(card, folder, labelled.paths, "checking the model")
    card, scores, int8 = _smaller(card, folder, labelled, exact)
    order = np.random.default_rng(SEED).permutation(len(labelled.paths))[:BANK]
    bank = unit(scores.features[order])
    neighbours = min(NEIGHBOURS, len(bank) - 1)
    OutOfDistribution(bank, neighbours).write(folder / KNOWN)
    known = OutOfDistribution.read(
        (folder / KNOWN).read_bytes()
    )  # rounded to float16, as the page will load it
    distances, something_else = _distances(known.bank, neighbours), NONE
    if labelled.something_else:
        others = _scores(card, folder, labelled.something_else, "looking at something else")
        something_else = known.distance(others.features)
    chosen = fit_thresholds(probabilities(scores.logits, multi), labelled.targets) if multi else ()
    thresholds = dict(zip(card.labels, map(float, chosen), strict=multi))
    limit = fit_limit(distances, something_else)
    card = write_card(folder, replace(card, known=limit, thresholds=thresholds))
    raw = _raw(card, scores)
    answers = unseen_answers(raw, labelled.targets, multi, unseen=False)
    found = {
        "validation": metrics.validation(answers, card.labels),
        "calibration": evaluation.calibration(raw, labelled.targets, answers),
        "none_of_these": evaluation.none_of_these(
            Classifier.open(folder), distances, evaluation.files_in(other), something_else
        ),
        "agreement": evaluation.precision(card, int8),
    }
    return replace(card, figures=evaluation.rounded(found))


def _smaller(
    card: Card, folder: Path, labelled: LabelledPictures, exact: Scores
) -> tuple[Card, Scores, evaluation.Comparison]:
    """int8 if it keeps the answers, else fp32 unchanged; and how the last int8 try compares."""
    model, fp32 = folder / MODEL, folder / "fp32.onnx"
    model.replace(fp32)
    order = np.random.default_rng(SEED).permutation(len(labelled.paths))
    ranges = [prepare(labelled.paths[i], card.preprocessing) for i in order[:CALIBRATION]]
    small = replace(card, precision="int8")
    for fp32_layers in FP32_LAYERS:
        onnx.write_int8(fp32, ranges, model, fp32_layers)
        scores = _scores(small, folder, labelled.paths, "checking int8")
        int8 = evaluation.compare(
            _raw(card, exact), _raw(card, scores), labelled.targets, card.task == "multi"
        )
        if int8.keeps_the_answers:
            fp32.unlink()
            return small, scores, int8
    fp32.replace(model)
    return card, exact, int8


def _raw(card: Card, scores: Scores) -> Array:
    """Logits (N, C) of the network before the temperature, which the file now includes."""
    return scores.logits.astype(np.float64) * card.temperature


def _scores(card: Card, folder: Path, paths: Sequence[Path], doing: str) -> Scores:
    write_card(folder, replace(card, known=None))
    return evaluation.score(Classifier.open(folder), paths, doing)


def _distances(bank: Floats, neighbours: int) -> Floats:
    """Distance of each picture from the others, (M,), as in `OutOfDistribution.distance`."""
    similarity = bank @ bank.T  # (M, M)
    np.fill_diagonal(similarity, -np.inf)  # else each would be its own nearest neighbour
    nearest = -np.partition(-similarity, neighbours - 1, axis=1)[:, :neighbours]
    return np.asarray(1 - nearest.mean(axis=1), dtype=np.float32)
