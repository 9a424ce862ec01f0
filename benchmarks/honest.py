"""Whether confidence matches accuracy, and whether unknown pictures are recognised.

    python benchmarks/honest.py                                # the bears under data/, or photos
    python benchmarks/honest.py --folds 2 --epochs 1 --size 64 --photos 60     # short

The pictures are divided into folds. For each fold, a model is fine-tuned on the others, exported
as by `kezako train`, and tested on the fold, so that every picture is answered once by a model
that was not trained on it. Within a fold, the temperature and the limit of "none of these" are
cross-fitted as for a card: they are judged on pictures that did not choose them. Printed over all
pictures, each with its 95 % confidence interval:

- the error, the calibration error (15 bins) without and with the temperature, and the calibration
  error that chance alone gives a perfectly calibrated model with as many pictures;
- the share of pictures within the limit, the share of photos of other things outside it, and how
  well the two are separated (AUROC), by the page's distance and by the highest probability alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from fine_tuning import fine_tuned  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

from benchmarks import record  # noqa: E402
from kezako.dataset.manifest import Manifest  # noqa: E402
from kezako.export.calibration import calibration_error, calibration_interval  # noqa: E402
from kezako.export.crossfit import (  # noqa: E402
    Answers,
    Floats,
    passing_interval,
    unseen_answers,
    unseen_passes,
)
from kezako.export.evaluation import score  # noqa: E402
from kezako.export.intervals import of_answers, of_auroc, of_share  # noqa: E402
from kezako.gather import gather_from  # noqa: E402
from kezako.model.classifier import Classifier, Scores  # noqa: E402
from kezako.model.decision import Flags, probabilities  # noqa: E402
from kezako.pictures import NotAPicture  # noqa: E402
from kezako.recipe import Recipe  # noqa: E402
from kezako.workspace import Workspace  # noqa: E402

PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos"))
HELD = {"calibration": 0.5}  # calibration error with the temperature, relative to without


@dataclass(frozen=True)
class Fold:
    """The answers of one model for pictures that it was not trained on."""

    before: Answers  # without a temperature
    after: Answers  # with the temperature that the other pictures choose
    passes: Flags  # (N,): whether each is within the limit that the others choose
    refused: Flags  # (M,): whether each photo of other things is refused
    auroc: dict[str, float]  # of "none of these", by method


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--photos", type=int, metavar="N", help="of each class (all)")
    parser.add_argument("--epochs", type=int, help="(the recipe's)")
    parser.add_argument("--size", type=int, help="pixels a side (the recipe's)")
    record.add_option(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        recipe = gathered(workspace, given.photos)
        recipe = replace(
            recipe,
            epochs=given.epochs or recipe.epochs,
            image_size=given.size or recipe.image_size,
        )
        place = folds(recipe, workspace, given.folds)
        found = [one(recipe, workspace, place, fold) for fold in range(given.folds)]
    record.keep(given.results, "honest", report(found))


def gathered(workspace: Workspace, count: int | None) -> Recipe:
    """The bears: those in data/ as cleaned there, else the photos."""
    own, target = Workspace.find().folder("bears"), workspace.folder("bears")
    shutil.copytree(ROOT / "models" / "starter", workspace.models / "starter")
    if (own / "manifest.db").is_file() and count is None:
        shutil.copytree(own, target)
        return workspace.recipe("bears")
    target.mkdir(parents=True)
    shutil.copy(ROOT / "data" / "bears" / "recipe.toml", target)
    with tempfile.TemporaryDirectory() as chosen:
        for kind in sorted((PHOTOS / "bears").iterdir()):
            (Path(chosen) / kind.name).mkdir()
            for photo in sorted(kind.iterdir())[:count]:
                shutil.copy(photo, Path(chosen) / kind.name)
        recipe = workspace.recipe("bears")
        gather_from(recipe, workspace, chosen)
    return recipe


def folds(recipe: Recipe, workspace: Workspace, count: int) -> dict[int, int]:
    """Picture id -> its fold; near-duplicates are in the same fold."""
    with Manifest(workspace.folder(recipe.name)) as manifest:
        rows = manifest.kept()
    groups = sorted({row.near or -(row.id or 0) for row in rows})
    order = np.random.default_rng(recipe.seed).permutation(len(groups))
    fold = {groups[at]: rank % count for rank, at in enumerate(order)}
    return {row.id or 0: fold[row.near or -(row.id or 0)] for row in rows}


def one(recipe: Recipe, workspace: Workspace, place: dict[int, int], fold: int) -> Fold:
    """Train without one fold, and test on it."""
    from kezako.export.run import export
    from kezako.train.weights import find_weights

    with Manifest(workspace.folder(recipe.name)) as manifest:
        for row in manifest.kept():
            row.split = "valid" if place[row.id or 0] == fold else "train"
            manifest.update(row)
    learn, pictures = fine_tuned(recipe, workspace, seed=fold)
    card = export(
        learn, recipe, workspace, pictures, find_weights(recipe.backbone, workspace.models)
    )
    classifier = Classifier.open(workspace.bundle(recipe.name))
    scores = score(classifier, pictures.valid, "the fold")
    raw = scores.logits.astype(np.float64) * card.temperature
    targets = np.array([card.labels.index(path.parent.name) for path in pictures.valid])
    after = unseen_answers(raw, targets, multi=False)
    refused, auroc = unknown(classifier, scores)
    found = Fold(
        before=replace(after, p=probabilities(raw, multi=False)),
        after=after,
        passes=unseen_passes(distances(classifier, scores)),
        refused=refused,
        auroc=auroc,
    )
    told = ", ".join(f"{name} {value:.3f}" for name, value in auroc.items())
    without, with_one = (
        calibration_error(*answers.confidences) for answers in (found.before, found.after)
    )
    print(
        f"fold {fold + 1}: error {after.wrong.mean():.1%}, T {card.temperature:.2f}, AUROC {told}, "
        f"calibration error {without:.1%} -> {with_one:.1%}, pass {found.passes.mean():.1%}",
        flush=True,
    )
    return found


def distances(classifier: Classifier, scores: Scores) -> Floats:
    """Distance of each picture from the training pictures, (N,)."""
    return np.array([classifier.distance(scores[i]) for i in range(len(scores))])


def unknown(classifier: Classifier, scores: Scores) -> tuple[Flags, dict[str, float]]:
    """Which photos of other things are refused, and their AUROC against the fold."""
    others = []
    for path in sorted((PHOTOS / "other").glob("*")):
        try:
            others.append(classifier.run(classifier.prepare(path)[None]))
        except NotAPicture:
            continue
    if not others:
        return np.zeros(0, dtype=bool), {}
    known = [scores[i] for i in range(len(scores))]
    truth = [0] * len(known) + [1] * len(others)
    ways = {
        "distance": classifier.distance,
        "probability": lambda one: -max(classifier.answer(one).probabilities.values()),
    }
    auroc = {
        name: float(roc_auc_score(truth, [way(one) for one in known + others]))
        for name, way in ways.items()
    }
    return np.array([not classifier.answer(one).known for one in others]), auroc


def report(found: list[Fold]) -> dict[str, Any]:
    """Print the figures over all folds; returns them with their intervals."""
    before, after = (joined([getattr(f, name) for f in found]) for name in ("before", "after"))
    error, count = float(after.wrong.mean()), len(after.wrong)
    figures: dict[str, Any] = {
        "pictures": count, "error": [error, *of_answers(after.wrong)]
    }  # fmt: skip
    print(f"\n{count} pictures: error {error:.1%} {between(of_answers(after.wrong))}")
    print("\ncalibration error (15 bins)")
    errors = []
    for name, answers in (("without a temperature", before), ("with one", after)):
        errors.append(calibration_error(*answers.confidences))
        figures[name] = line(name, errors[-1], calibration_interval(*answers.confidences))
    share = errors[1] / errors[0]
    print(f"  {'that is':28}{share:7.2f}  of it (held to {HELD['calibration']})")
    print(f"  {'chance alone would leave':28}{floor(after):7.2%}")
    print("\nnone of these")
    passes = np.concatenate([f.passes for f in found])
    figures["pass"] = line("of the class, pass", float(passes.mean()), passing_interval(passes))
    refused = np.concatenate([f.refused for f in found])
    if not len(refused):
        return figures
    # Each fold uses the same photos of other things, so they count only once.
    others = len(found[0].refused)
    figures["others refused"] = line(
        "of other things, do not", float(refused.mean()), of_share(refused.mean() * others, others)
    )
    for name in found[0].auroc:
        mean = float(np.mean([f.auroc[name] for f in found]))
        low, high = of_auroc(mean, count, others)
        print(f"  {'AUROC by the ' + name:28}{mean:7.3f}  ({low:.3f} to {high:.3f})")
        figures[f"AUROC by {name}"] = [mean, low, high]
    return figures


def joined(parts: list[Answers]) -> Answers:
    p, said, shown = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("p", "said", "shown")
    )
    return Answers(p, said, shown, multi=False)


def line(name: str, value: float, interval: tuple[float, float]) -> list[float]:
    print(f"  {name:28}{value:7.2%}  {between(interval)}")
    return [value, *interval]


def between(interval: tuple[float, float]) -> str:
    return f"({interval[0]:.1%} to {interval[1]:.1%})"


def floor(answers: Answers, draws: int = 200) -> float:
    """The mean calibration error of answers that are right exactly as often as they say."""
    sure, _ = answers.confidences
    chance = np.random.default_rng(0)
    right = chance.random((draws, *sure.shape)) < sure
    return float(np.mean([calibration_error(sure, row) for row in right]))


if __name__ == "__main__":
    main()
