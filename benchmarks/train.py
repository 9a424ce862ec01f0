"""Time to a first model, and to a good one, compared with the usual fine-tuning cell.

    python benchmarks/train.py                              # three data sets, three seeds: an hour
    python benchmarks/train.py --data bears --seeds 1
    python benchmarks/train.py --data smileys --size 96 --pictures 30 --seeds 1      # short

Stock is the cell of the fastai course: `RandomResizedCrop(224, min_scale=0.5)`,
`aug_transforms()`, `fine_tune(4)`. Ours is the training notebook, with the same crop,
augmentation, number of epochs and learning rate: first the head on features of the frozen body
(`fit = "quick"` ends there), then everything (`fit = "full"`). Both start from the same weights
and use the same training and validation pictures. Each training runs in a subprocess; its clock
starts at the DataBlock and includes everything after it.

Printed for each data set, over the seeds: seconds and validation error of stock, quick and full,
the seconds until full has reached stock's final error, and their ratio. Error against time is
plotted to build/train.png.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from benchmarks import record  # noqa: E402
from kezako.gather import adopt, gather_from  # noqa: E402
from kezako.gather.sample import draw_sample  # noqa: E402
from kezako.recipe import Recipe  # noqa: E402
from kezako.workspace import Workspace  # noqa: E402

PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos"))
EPOCHS, RATE = 4, 2e-3  # stock: fine_tune(4), with fastai's default learning rate
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # seconds
HELD = {"quick": 1 / 10, "points": 2.0, "full": 1 / 4}


@dataclass(frozen=True)
class Curve:
    """One training: error (0 to 1) after each step, and seconds since the start.

    The first step is stock's frozen epoch, or our head.
    """

    seconds: list[float]
    errors: list[float]

    def reached(self, error: float) -> float | None:
        """Seconds until the error was at most `error`; None if never."""
        return next(
            (s for s, e in zip(self.seconds, self.errors, strict=True) if e <= error + 1e-9), None
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="bears,emotions,smileys", metavar="A,B")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--size", type=int, default=224, help="pixels a side")
    parser.add_argument("--pictures", type=int, metavar="N", help="of each class (all)")
    parser.add_argument("--plot", type=Path, default=ROOT / "build" / "train.png")
    record.add_option(parser)
    parser.add_argument("--one", metavar="WAY", help=argparse.SUPPRESS)  # for subprocesses
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.data, given.one, given.seed, given.size)))
        return
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        shutil.copytree(ROOT / "models" / "starter", workspace.models / "starter")
        for data in given.data.split(","):
            if data != "smileys" and not (PHOTOS / data).is_dir():
                print(f"{data}: there are no photographs in {PHOTOS / data}; left out.\n")
                continue
            gathered(data, workspace, given.pictures)
            found[data] = curves(data, workspace, given)
            record.keep(given.results, data, report(data, found[data]))
    if found:
        plot(found, given.plot)
        print(f"Error against time: {given.plot}")


def gathered(data: str, workspace: Workspace, count: int | None) -> None:
    """Put the pictures of a data set into `workspace`, checked and split as by `kezako gather`."""
    if data == "smileys":
        adopt(draw_sample(workspace, count or 100), workspace)
        return
    workspace.folder(data).mkdir(parents=True)
    shutil.copy(ROOT / "data" / data / "recipe.toml", workspace.folder(data))
    with tempfile.TemporaryDirectory() as chosen:
        for kind in sorted((PHOTOS / data).iterdir()):
            (Path(chosen) / kind.name).mkdir()
            for photo in sorted(kind.iterdir())[:count]:
                shutil.copy(photo, Path(chosen) / kind.name)
        gather_from(workspace.recipe(data), workspace, chosen)


def curves(data: str, workspace: Workspace, given: argparse.Namespace) -> dict[str, list[Curve]]:
    """Way -> its curve for each seed; one training at a time, the ways in turn."""
    found: dict[str, list[Curve]] = {"stock": [], "full": []}
    for seed in range(given.seeds):
        for way, done in found.items():
            child = subprocess.run(
                [sys.executable, "-W", "ignore", __file__, "--one", way, "--data", data,
                 "--seed", str(seed), "--size", str(given.size)],
                env={**os.environ, "KEZAKO_HOME": str(workspace.root),
                     "OMP_WAIT_POLICY": "PASSIVE"},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if child.returncode:
                sys.exit(f"{way} on {data} failed:\n{child.stderr[-3000:]}")
            curve = Curve(**json.loads(child.stdout.splitlines()[-1]))
            done.append(curve)
            steps = ", ".join(
                f"{100 * error:.1f} % at {seconds:.0f} s"
                for seconds, error in zip(curve.seconds, curve.errors, strict=True)
            )
            print(f"{data}, seed {seed}, {way}: {steps}", flush=True)
    return found


def one(data: str, way: str, seed: int, size: int) -> dict[str, Any]:
    """Train once, in this process; returns times and errors."""
    import kezako.train  # noqa: F401 - makes torchvision import
    from kezako.train.dataset import Pictures
    from kezako.train.weights import find_weights

    workspace = Workspace.find()
    recipe = replace(
        workspace.recipe(data), image_size=size, resize="random-crop", min_scale=0.5,
        augment=True, mult=1.0, epochs=EPOCHS, learning_rate=RATE, seed=seed,
    )  # fmt: skip
    pictures = Pictures(recipe, workspace)
    weights = find_weights(recipe.backbone, workspace.models)
    curve = (stock if way == "stock" else ours)(recipe, pictures, weights)
    return {"seconds": curve.seconds, "errors": curve.errors}


def stock(recipe: Recipe, pictures: Any, weights: Any) -> Curve:
    """The cell of the fastai course."""
    from fastai.vision import all as fastai

    from kezako.train.weights import make_backbone

    fastai.set_seed(recipe.seed)
    start = time.perf_counter()
    seconds: list[float] = []
    errors: list[float] = []

    class Clock(fastai.Callback):
        order = 60

        def after_epoch(self) -> None:
            seconds.append(time.perf_counter() - start)
            errors.append(float(self.learn.recorder.values[-1][-1]))

    kind = fastai.PILImage if recipe.colour else fastai.PILImageBW
    block = fastai.DataBlock(
        blocks=(fastai.ImageBlock(kind), fastai.CategoryBlock(vocab=recipe.labels)),
        get_y=fastai.parent_label,
        splitter=fastai.FuncSplitter(pictures.is_valid),
        item_tfms=fastai.RandomResizedCrop(recipe.image_size, min_scale=recipe.min_scale),
        batch_tfms=fastai.aug_transforms(),
    )
    dls = block.dataloaders(pictures.paths)
    backbone = make_backbone(recipe.backbone, weights)
    learn = fastai.vision_learner(
        dls, backbone, metrics=fastai.error_rate, pretrained=weights.pretrained, cbs=Clock()
    )
    with learn.no_bar(), learn.no_logging():
        learn.fine_tune(EPOCHS)
    return Curve(seconds, errors)


def ours(recipe: Recipe, pictures: Any, weights: Any) -> Curve:
    """What the training notebook does."""
    from fine_tuning import trained

    start = time.perf_counter()
    with _quiet():
        learn, head = trained(recipe, pictures, weights, recipe.seed)
    end = time.perf_counter() - start
    lines = learn.epoch_lines
    # The last epoch ended now, so the start of the fit can be computed.
    fit = end - lines.seconds[-1]
    return Curve(
        [fit, *(fit + seconds for seconds in lines.seconds)],
        [head.error, *(row["error_rate"] for row in lines.rows)],
    )


def report(data: str, found: dict[str, list[Curve]]) -> dict[str, Any]:
    """Print the means over the seeds, and return them."""
    stock, full = found["stock"], found["full"]
    aim = float(np.mean([curve.errors[-1] for curve in stock]))
    whole = float(np.mean([curve.seconds[-1] for curve in stock]))
    rows = {
        "stock, fine_tune(4)": [(c.seconds[-1], c.errors[-1]) for c in stock],
        'fit = "quick"': [(c.seconds[0], c.errors[0]) for c in full],
        'fit = "full"': [(c.seconds[-1], c.errors[-1]) for c in full],
    }
    print(f"\n{data:22}{'seconds':>9}{'of stock':>10}{'error':>9}{'± sd':>7}")
    for name, pairs in rows.items():
        seconds, errors = np.array(pairs).T
        print(
            f"  {name:20}{seconds.mean():9.1f}{seconds.mean() / whole:10.2f}"
            f"{errors.mean():9.1%}{100 * errors.std():7.1f}"
        )
    quick = np.array(rows['fit = "quick"']).mean(axis=0)
    print(
        f"  quick: {quick[0] / whole:.3f} of stock's seconds (held to {HELD['quick']:.3f}), "
        f"{100 * (quick[1] - aim):+.1f} points of error (held to +{HELD['points']:.0f})"
    )
    reached = [curve.reached(aim) for curve in full]
    times = [seconds for seconds in reached if seconds is not None]
    said = f"{np.mean(times):.1f} s, {np.mean(times) / whole:.2f} of stock's" if times else "never"
    print(
        f"  to stock's error of {aim:.1%}: {said} (held to {HELD['full']:.2f}), "
        f"reached by {len(times)} of {len(reached)} seeds\n",
        flush=True,
    )
    means = {
        name: dict(zip(("seconds", "error"), np.mean(pairs, axis=0), strict=True))
        for name, pairs in rows.items()
    }
    until = float(np.mean(times)) if times else None
    return {"seeds": len(stock), **means, "seconds until stock's error": until}


def plot(found: dict[str, list[Curve]] | dict[str, dict[str, list[Curve]]], path: Path) -> None:
    """Plot error against time: a panel per data set, a line per training."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * len(found), 3.8), layout="constrained")
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (data, ways) in zip(panels, found.items(), strict=True):
        for way, colour in (("stock", "grey"), ("full", "tab:blue")):
            for number, curve in enumerate(ways[way]):
                axes.plot(
                    curve.seconds, 100 * np.array(curve.errors), color=colour, marker=".",
                    label=f"{way}, each epoch" if not number else None,
                )  # fmt: skip
                if way == "full":
                    axes.plot(curve.seconds[0], 100 * curve.errors[0], "*", color="tab:orange",
                              markersize=12, label="quick" if not number else None)  # fmt: skip
        axes.set_xscale("log")
        first, last = axes.get_xlim()
        axes.set_xticks([tick for tick in TICKS if first <= tick <= last])
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.minorticks_off()
        axes.set_xlabel("seconds")
        axes.set_ylabel("validation error, %")
        axes.set_ylim(bottom=0)
        axes.set_title(data)
        axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


class _quiet:
    """Send what the notebook's functions print to stderr, so that stdout has only the result."""

    def __enter__(self) -> None:
        self._before, sys.stdout = sys.stdout, sys.stderr

    def __exit__(self, *_: object) -> None:
        sys.stdout = self._before


if __name__ == "__main__":
    main()
