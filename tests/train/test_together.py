"""Two processes on two CPUs train what one trains alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.needs import needs_package
from tests.train.shared_fit import a_large_fit, a_small_fit

pytestmark = pytest.mark.hosts

ROOT = Path(__file__).parents[2]


def two_processes(folder: Path) -> list[dict[str, Any]]:
    """What each of them ended with."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--standalone",
         "--nproc-per-node", "2", "-m", "tests.train.shared_fit", str(folder)],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(folder / f"process-{n}.pt", weights_only=True) for n in range(2)]


def furthest(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    """The greatest difference between two models' weights."""
    return max(float((value - second[name]).abs().max()) for name, value in first.items())


@pytest.mark.slow
@pytest.mark.usefixtures("the_starter")
def test_two_processes_train_what_one_does(
    some_faces: Callable[..., tuple[Recipe, Workspace]],
) -> None:
    needs_package("accelerate")
    _, workspace = some_faces()
    first, second = two_processes(workspace.root)
    alone = a_small_fit()
    assert furthest(first["small"]["weights"], second["small"]["weights"]) == 0
    assert furthest(first["small"]["weights"], alone["weights"]) < 1e-5
    assert first["small"]["rows"][-1]["valid_loss"] == pytest.approx(
        alone["rows"][-1]["valid_loss"]
    )
    # Each saw other pictures, and both have the same model: what they learnt was averaged.
    trained = {name for name, value in first["large"]["weights"].items() if name.endswith("weight")}
    mine, theirs = (
        {name: found["large"]["weights"][name] for name in trained} for found in (first, second)
    )
    assert furthest(mine, theirs) == 0
    assert first["large"]["rows"][-1]["error_rate"] == second["large"]["rows"][-1]["error_rate"]
    large = a_large_fit(workspace.root)
    for shared, whole in zip(first["large"]["maps"], large["maps"], strict=True):
        assert torch.allclose(shared, whole, atol=1e-4)
