"""Run each pair of commands concurrently on one workspace, many times, and count the outcomes.

    python scripts/pairs.py [NAME ...] [--rounds 20] [--heavy 3] [--seed 1]

NAME: only pairs with these commands. The second of a pair starts at a random moment of the first.
Both may succeed, or one may say what prevents it; "lost" counts what must not happen: a traceback,
a picture, row or file that is missing or incomplete, or leftover files. Pairs with a command that
imports torch run --heavy times. Needs the extra train; the workspaces are deleted.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from itertools import combinations_with_replacement
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for the pairs of the tests

from kezako.workspace import Workspace  # noqa: E402
from tests.pairs import COMMANDS, EXPORT, HEAVY, NAME, PRELOADED, Stage, make_stage  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(COMMANDS)}")
    parser.add_argument("--rounds", type=int, default=20, help="of each pair (20)")
    parser.add_argument("--heavy", type=int, default=3, help="of a pair with torch (3)")
    parser.add_argument("--without", default="", help="no pair with these, by commas")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    names = [name for name in COMMANDS if name not in arguments.without.split(",")]
    pairs = [
        pair
        for pair in combinations_with_replacement(names, 2)
        if not arguments.names or set(pair) & set(arguments.names)
    ]
    if any(set(pair) & {"auto"} for pair in pairs):
        PRELOADED.append("kezako.clean.auto")
    with tempfile.TemporaryDirectory() as folder:
        stage = make_stage(Path(folder, "stage"), trained)
        stage.measure(Path(folder), sorted({name for pair in pairs for name in pair}))
        print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in stage.seconds.items()))
        print(f"\n{'pair':24}{'rounds':>7}{'both fine':>11}{'one said':>10}{'lost':>6}", flush=True)
        total: Counter[str] = Counter()
        chance = random.Random(arguments.seed)
        for pair in pairs:
            rounds = arguments.heavy if set(pair) & set(HEAVY) else arguments.rounds
            total += count(stage, Path(folder), pair, rounds, chance)
        print(line(("all", f"{len(pairs)} pairs"), total))
    return 1 if total["lost"] else 0


def count(
    stage: Stage, folder: Path, pair: tuple[str, str], rounds: int, chance: random.Random
) -> Counter[str]:
    """Run one pair; returns how often it was "fine", "said" and "lost"."""
    counts: Counter[str] = Counter()
    for _ in range(rounds):
        try:
            ran = stage.pair(folder, pair, chance)
        except AssertionError as error:
            counts["lost"] += 1
            print(f"{' x '.join(pair)}: {error}", file=sys.stderr)
        else:
            counts["said" if any(one.outcome == "said" for one in ran) else "fine"] += 1
    print(line(pair, counts), flush=True)
    return counts


def line(pair: tuple[str, str], counts: Counter[str]) -> str:
    numbers = f"{counts.total():7}{counts['fine']:11}{counts['said']:10}{counts['lost']:6}"
    return f"{' x '.join(pair):24}{numbers}"


def trained(workspace: Workspace) -> None:
    """Train a classifier in `workspace`, and put its export there to be imported."""
    recipe = workspace.folder(NAME) / "recipe.toml"
    text = recipe.read_text("utf-8").replace("image_size = 96", "image_size = 64")
    recipe.write_text('fit = "quick"\n' + text, "utf-8")
    command = [sys.executable, "-m", "kezako", "train", NAME]
    environment = {"KEZAKO_HOME": str(workspace.root), "KEZAKO_WEIGHTS": "starter"}
    subprocess.run(command, check=True, env={**os.environ, **environment})
    export = workspace.bundle(NAME) / EXPORT
    (workspace.root / EXPORT).write_bytes(export.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
