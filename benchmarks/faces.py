"""Several labels per picture, or none: the answers of `faces` for faces and for places.

    python benchmarks/faces.py                                    # minutes
    python benchmarks/faces.py --photos 60 --size 64 --epochs 1    # short

A quarter of the photos is held out. With the rest, the recipe `faces` is trained as by
`kezako train`: its labels are female and male, and places are its pictures of neither. Then the
page's classifier is tested on the held-out photos, which were not used for its weights or
thresholds. Printed are:

- for places, the share that is answered "neither" or "none of these";
- for faces, the share that gets exactly one label, and how often that one is wrong.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402
from kezako.gather import gather_from  # noqa: E402
from kezako.model.classifier import Answer, Classifier  # noqa: E402
from kezako.recipe import NEITHER  # noqa: E402
from kezako.report import train  # noqa: E402
from kezako.workspace import Workspace  # noqa: E402

PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos")) / "faces"
APART = 0.25  # share of the photos that is held out

Answers = dict[str, list[Answer]]  # by the folder of the photos


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, metavar="N", help="of each kind (all)")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--size", type=int, default=96, help="pixels a side")
    parser.add_argument("--seed", type=int, default=0, help="which photographs are set apart")
    record.add_option(parser)
    given = parser.parse_args()
    if not PHOTOS.is_dir():
        print(f"There are no photographs in {PHOTOS}; KEZAKO_PHOTOS names the folder above it.")
        return
    with tempfile.TemporaryDirectory() as folder:
        report(asked(Path(folder), given), given)


def asked(folder: Path, given: argparse.Namespace) -> Answers:
    """Train on some of the photos, and classify the others."""
    learnt, apart = folder / "learnt", {}
    chance = np.random.default_rng(given.seed)
    for kind in sorted(PHOTOS.iterdir()):
        photos = sorted(kind.iterdir())[: given.photos]
        chance.shuffle(photos)
        count = round(APART * len(photos))
        apart[kind.name] = photos[:count]
        (learnt / kind.name).mkdir(parents=True)
        for photo in photos[count:]:
            shutil.copy(photo, learnt / kind.name)
    workspace = Workspace(folder)
    target = workspace.folder("faces")
    target.mkdir(parents=True)
    text = (ROOT / "data" / "faces" / "recipe.toml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^epochs = .*", f"epochs = {given.epochs}\nimage_size = {given.size}", text)
    (target / "recipe.toml").write_text(text, encoding="utf-8")
    recipe = workspace.recipe("faces")
    gather_from(recipe, workspace, learnt)
    train(recipe, workspace, photos=False)
    classifier = Classifier.open(workspace.bundle("faces"))
    return {kind: [classifier.predict(photo) for photo in photos] for kind, photos in apart.items()}


def report(answers: Answers, given: argparse.Namespace) -> None:
    places = answers.pop(NEITHER)
    faces = [(kind, answer) for kind, found in sorted(answers.items()) for answer in found]
    one = [(kind, answer) for kind, answer in faces if len(answer.labels) == 1]
    print(
        f"\n{len(faces)} faces and {len(places)} places that training did not see; "
        f"{given.size} px, {given.epochs} epochs\n"
    )
    flags = {
        "places answered neither": [not answer.labels for answer in places],
        "  of these as unlike all it learnt": [not a.known for a in places if not a.labels],
        "faces with exactly one label": [len(answer.labels) == 1 for _, answer in faces],
        "  wrong among them": [answer.label != kind for kind, answer in one],
        "faces with both labels": [len(answer.labels) > 1 for _, answer in faces],
        "faces without a label": [not answer.labels for _, answer in faces],
    }
    for what, found in flags.items():
        line(what, found)
    shares = {what.strip(): float(np.mean(found or [0])) for what, found in flags.items()}
    record.keep(given.results, "faces", shares)


def line(what: str, found: Iterable[bool]) -> None:
    flags = list(found)
    print(f"  {what:36}{sum(flags):5} of {len(flags):4}  {np.mean(flags or [0]):7.1%}")


if __name__ == "__main__":
    main()
