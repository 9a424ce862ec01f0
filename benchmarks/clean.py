"""Wrong labels found and corrected: Kezako's suspects, plain top losses and a random order.

    python benchmarks/clean.py                         # detection and training, three bears
    python benchmarks/clean.py --epochs 0              # detection alone, seconds per seed
    python benchmarks/clean.py --drawn --photos 60 --size 64 --epochs 2    # short

Some labels are flipped at random, in both the training and the validation set. Measured are:

- the share of the flips among the first 12 % of pictures, for Kezako's suspects, for fastai's top
  losses of a model that was fine-tuned on the flipped labels, and for a random order;
- the error on the validation pictures with their original labels, of models that were fine-tuned
  on the original labels, on the flipped ones, and after `kezako clean --auto`;
- the share of the damage (error with flipped minus error with original labels) that cleaning
  undid.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from fine_tuning import fine_tuned  # noqa: E402

from benchmarks import record  # noqa: E402
from kezako.clean.auto import clean  # noqa: E402
from kezako.clean.suspects import find_suspects  # noqa: E402
from kezako.dataset.manifest import Manifest  # noqa: E402
from kezako.dataset.row import Row  # noqa: E402
from kezako.gather import adopt, gather_from  # noqa: E402
from kezako.gather.sample import draw_sample  # noqa: E402
from kezako.recipe import Recipe  # noqa: E402
from kezako.train.dataset import Pictures  # noqa: E402
from kezako.workspace import Workspace  # noqa: E402

PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos")) / "bears"
FLIPPED = 0.08  # share of the labels
LOOKED_AT = 0.12  # share of the pictures that a person reviews
HELD = {"suspects": 0.7, "recovered": 0.5}


@dataclass(frozen=True)
class Trained:
    """The result of one training."""

    error: float  # on the validation pictures, with their original labels
    losses: dict[int, float]  # picture id -> its loss with the label it was trained with


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, metavar="N", help="of each class (all)")
    parser.add_argument("--drawn", action="store_true", help="drawn faces instead of photos")
    parser.add_argument("--seeds", type=int, default=3, help="sets of flips, with a training each")
    parser.add_argument("--epochs", type=int, default=4, help="0: no training")
    parser.add_argument("--size", type=int, default=128, help="pixels a side while training")
    parser.add_argument("--validation", type=float, default=0.3, help="share of the pictures")
    record.add_option(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recipe = gathered(Workspace(Path(folder) / "clean"), given)
        found = [one(recipe, Path(folder), seed, given) for seed in range(given.seeds)]
    report(found, given)


def one(recipe: Recipe, folder: Path, seed: int, given: argparse.Namespace) -> dict[str, float]:
    """One set of flips: shares found and corrected, and errors, by name."""
    with copied(folder, seed) as workspace:
        truth, flips = flip(recipe, workspace, seed)
        order = [s.row.id for s in find_suspects(recipe, workspace)]
        found = {"suspects": share_found(order, flips), "flips": len(flips), "pictures": len(truth)}
        chance = np.random.default_rng([seed, 1]).permutation(list(truth))
        found["random"] = share_found(list(chance), flips)
        if given.epochs:
            flipped = train(recipe, workspace, truth, seed)
            worst = sorted(flipped.losses, key=lambda picture: -flipped.losses[picture])
            found |= {"top losses": share_found(worst, flips), "error flipped": flipped.error}
        found |= cleaned(recipe, workspace, flips)
        if given.epochs:
            found["error after --auto"] = train(recipe, workspace, truth, seed).error
    if given.epochs:
        with copied(folder, seed) as workspace:
            found["error clean"] = train(recipe, workspace, truth, seed).error
    print(", ".join(f"{name} {value:.3g}" for name, value in found.items()), flush=True)
    return found


def report(found: list[dict[str, float]], given: argparse.Namespace) -> None:
    mean = {name: float(np.mean([row[name] for row in found])) for name in found[0]}
    record.keep(given.results, "flips", {"seeds": len(found), **mean})
    print(
        f"\n{mean['pictures']:.0f} pictures, {mean['flips']:.0f} labels flipped, "
        f"mean of {len(found)} seeds\n\nflips in the first {LOOKED_AT:.0%} of pictures"
    )
    for name in ("suspects", "top losses", "random"):
        if name in mean:
            note = f"  (held to {HELD[name]:.0%})" if name in HELD else ""
            print(f"  {name:22}{mean[name]:7.1%}{note}")
    print("\n--auto")
    print(f"  {'flips mended':22}{mean['mended']:7.1%}")
    print(f"  {'others moved':22}{mean['others moved']:7.1%}  of all pictures")
    if given.epochs:
        errors = [mean[f"error {name}"] for name in ("clean", "flipped", "after --auto")]
        print("\nerror of a model that learnt from")
        for name, error in zip(
            ("clean labels", "flipped ones", "those after --auto"), errors, strict=True
        ):
            print(f"  {name:22}{error:7.1%}")
        recovered = (errors[1] - errors[2]) / max(errors[1] - errors[0], 1e-9)
        print(f"  {'damage recovered':22}{recovered:7.0%}  (held to {HELD['recovered']:.0%})")


def gathered(workspace: Workspace, given: argparse.Namespace) -> Recipe:
    """The recipe and its pictures: photos, if there are any."""
    if given.drawn or not PHOTOS.is_dir():
        recipe = draw_sample(workspace, given.photos or 200)
    else:
        target = workspace.folder("bears")
        target.mkdir(parents=True)
        shutil.copy(ROOT / "data" / "bears" / "recipe.toml", target)
        recipe = workspace.recipe("bears")
    recipe = replace(
        recipe,
        validation_share=given.validation,
        image_size=given.size,
        epochs=given.epochs,
        resize="squish" if given.drawn else recipe.resize,
    )
    if recipe.name == "bears":
        with some(PHOTOS, given.photos) as photos:
            gather_from(recipe, workspace, str(photos))
    else:
        adopt(recipe, workspace)
    find_suspects(recipe, workspace)  # computes the features of every picture, once for all seeds
    return recipe


@contextmanager
def some(photos: Path, count: int | None) -> Iterator[Path]:
    """A folder with the first `count` photos of each class."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in sorted(photos.iterdir()):
            (Path(folder) / kind.name).mkdir()
            for photo in sorted(kind.iterdir())[:count]:
                shutil.copy(photo, Path(folder) / kind.name)
        yield Path(folder)


@contextmanager
def copied(folder: Path, seed: int) -> Iterator[Workspace]:
    """A copy of the gathered workspace, which a run may change."""
    target = folder / f"seed-{seed}"
    shutil.copytree(folder / "clean", target)
    try:
        yield Workspace(target)
    finally:
        shutil.rmtree(target)


def flip(recipe: Recipe, workspace: Workspace, seed: int) -> tuple[dict[int, str], set[int]]:
    """Move some pictures to another class; returns picture id -> true class, and the moved ids."""
    chance = np.random.default_rng(seed)
    with Manifest(workspace.folder(recipe.name)) as manifest:
        rows = manifest.kept()
        truth = {row.id or 0: row.folder for row in rows}
        chosen = chance.permutation(len(rows))[: round(FLIPPED * len(rows))]
        for row in (rows[i] for i in chosen):
            others = [label for label in recipe.labels if label != row.folder]
            _refile(manifest, row, str(chance.choice(others)))
    return truth, {rows[i].id or 0 for i in chosen}


def _refile(manifest: Manifest, row: Row, folder: str) -> None:
    before = manifest.folder / str(row.file)
    row.folder, row.file = folder, f"pictures/{folder}/{before.name}"
    os.replace(before, manifest.folder / row.file)
    manifest.update(row)


def cleaned(recipe: Recipe, workspace: Workspace, flips: set[int]) -> dict[str, float]:
    """What `--auto` did: share of the flips moved, and other pictures moved as a share of all."""
    with Manifest(workspace.folder(recipe.name)) as manifest:
        pictures = len(manifest.kept())
    touched = {verdict.row.id for verdict in clean(recipe, workspace).verdicts}
    return {
        "mended": len(touched & flips) / len(flips),
        "others moved": len(touched - flips) / pictures,
    }


def share_found(order: list[Any], flips: set[int]) -> float:
    """The share of `flips` among the first pictures of `order`."""
    return len(flips & set(order[: int(LOOKED_AT * len(order))])) / len(flips)


def train(recipe: Recipe, workspace: Workspace, truth: dict[int, str], seed: int) -> Trained:
    """Fine-tune on the current labels."""
    learn, pictures = fine_tuned(recipe, workspace, seed)
    return _trained(learn, pictures, truth)


def _trained(learn: Any, pictures: Pictures, truth: dict[int, str]) -> Trained:
    ids = {path: row.id or 0 for path, row in zip(pictures.paths, pictures.rows, strict=True)}
    loader = learn.dls.test_dl(pictures.paths, num_workers=0)
    p = learn.get_preds(dl=loader)[0].numpy()  # (N, C)
    column = {label: i for i, label in enumerate(learn.dls.vocab)}
    given = np.array([column[path.parent.name] for path in pictures.paths])
    losses = -np.log(np.maximum(p[np.arange(len(p)), given], 1e-9))
    true = np.array([column[truth[ids[path]]] for path in pictures.paths])
    valid = np.array([pictures.is_valid(path) for path in pictures.paths])
    return Trained(
        float((p.argmax(axis=1) != true)[valid].mean()),
        {ids[path]: float(loss) for path, loss in zip(pictures.paths, losses, strict=True)},
    )


if __name__ == "__main__":
    main()
