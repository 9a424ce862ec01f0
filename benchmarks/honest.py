"""Whether an answer is as sure as it is right, and knows what it does not know.

    python benchmarks/honest.py                                # the bears under data/, or photos
    python benchmarks/honest.py --folds 2 --epochs 1 --size 64 --photos 60     # short

The pictures are divided into folds. For each fold a model is fine-tuned on the others, exported
as `kezako train` does, and asked about the fold, so that every picture is judged once by a model
that never saw it. The temperature is fitted on one half of a fold and judged on the other.
Printed, over all pictures:

- calibration error (15 bins) without and with the temperature, and what chance alone would leave
  a perfectly calibrated model of as many pictures;
- how well "none of these" tells them from photographs of other things (AUROC), by the distance
  that the page uses and by the highest probability alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from fine_tuning import fine_tuned  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

from kezako.classifier import Classifier, Scores  # noqa: E402
from kezako.gather import gather_from  # noqa: E402
from kezako.manifest import Manifest  # noqa: E402
from kezako.pictures import NotAPicture  # noqa: E402
from kezako.recipe import Recipe  # noqa: E402
from kezako.train import figures  # noqa: E402
from kezako.train.measure import score  # noqa: E402
from kezako.workspace import Workspace  # noqa: E402

PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos"))
HELD = {"calibration": 0.5}  # with the temperature, of without


@dataclass(frozen=True)
class Fold:
    """What one model made of pictures that it never saw."""

    raw: figures.Array  # (N, C) logits as trained
    scaled: figures.Array  # (N, C) by the temperature of the other half
    targets: figures.Integers  # (N,)
    auroc: dict[str, float]  # none of these, by how it is told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--photos", type=int, metavar="N", help="of each class (all)")
    parser.add_argument("--epochs", type=int, help="(the recipe's)")
    parser.add_argument("--size", type=int, help="pixels a side (the recipe's)")
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
    report(found)


def gathered(workspace: Workspace, count: int | None) -> Recipe:
    """The bears: those under data/ with all that was cleaned, else the photographs."""
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
    """Picture -> its fold; near-duplicates share one."""
    with Manifest(workspace.folder(recipe.name)) as manifest:
        rows = manifest.kept()
    groups = sorted({row.near or -(row.id or 0) for row in rows})
    order = np.random.default_rng(recipe.seed).permutation(len(groups))
    fold = {groups[at]: rank % count for rank, at in enumerate(order)}
    return {row.id or 0: fold[row.near or -(row.id or 0)] for row in rows}


def one(recipe: Recipe, workspace: Workspace, place: dict[int, int], fold: int) -> Fold:
    """Train without one fold, and ask about it."""
    from kezako.train.export import export
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
    found = Fold(
        raw, figures.unseen_scaling(raw, targets, multi=False), targets, unknown(classifier, scores)
    )
    error = (raw.argmax(1) != targets).mean()
    auroc = ", ".join(f"{name} {value:.3f}" for name, value in found.auroc.items())
    without, with_one = (
        figures.calibration_error(*figures.confidences(logits, targets, multi=False))
        for logits in (found.raw, found.scaled)
    )
    print(
        f"fold {fold + 1}: error {error:.1%}, T {card.temperature:.2f}, AUROC {auroc}, "
        f"calibration error {without:.1%} -> {with_one:.1%}",
        flush=True,
    )
    return found


def unknown(classifier: Classifier, scores: Scores) -> dict[str, float]:
    """AUROC of photographs of other things against the fold."""
    others = []
    for path in sorted((PHOTOS / "other").glob("*")):
        try:
            others.append(classifier.run(classifier.prepare(path)[None]))
        except NotAPicture:
            continue
    if not others:
        return {}
    known = [scores[i] for i in range(len(scores))]
    truth = [0] * len(known) + [1] * len(others)
    ways = {
        "distance": classifier.distance,
        "probability": lambda one: -max(classifier.answer(one).probabilities.values()),
    }
    return {
        name: float(roc_auc_score(truth, [way(one) for one in known + others]))
        for name, way in ways.items()
    }


def report(found: list[Fold]) -> None:
    raw, scaled = (np.concatenate([getattr(f, name) for f in found]) for name in ("raw", "scaled"))
    targets = np.concatenate([f.targets for f in found])
    errors = {
        name: figures.calibration_error(*figures.confidences(logits, targets, multi=False))
        for name, logits in (("without", raw), ("with", scaled))
    }
    print(f"\n{len(targets)} pictures, error {(raw.argmax(1) != targets).mean():.1%}")
    print("\ncalibration error (15 bins)")
    print(f"  {'without a temperature':28}{errors['without']:7.2%}")
    print(f"  {'with one':28}{errors['with']:7.2%}")
    share = errors["with"] / errors["without"]
    print(f"  {'that is':28}{share:7.2f}  of it (held to {HELD['calibration']})")
    print(f"  {'chance alone would leave':28}{floor(scaled):7.2%}")
    if found[0].auroc:
        print("\nnone of these (mean AUROC over the folds)")
        for name in found[0].auroc:
            print(f"  by the {name:21}{np.mean([f.auroc[name] for f in found]):7.3f}")


def floor(logits: figures.Array, draws: int = 200) -> float:
    """The mean calibration error of answers that are right exactly as often as they say."""
    sure = figures.probabilities(logits, multi=False).max(axis=1)
    chance = np.random.default_rng(0)
    right = chance.random((draws, len(sure))) < sure
    return float(np.mean([figures.calibration_error(sure, row.astype(float)) for row in right]))


if __name__ == "__main__":
    main()
