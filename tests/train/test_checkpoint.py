"""A training that is killed goes on after its last epoch, as if nothing had happened."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kezako.dataset.readiness import UNFINISHED, forget_checkpoint
from kezako.recipe import Recipe
from kezako.train.checkpoint import Checkpoint
from kezako.train.dataset import Pictures
from kezako.train.weights import Weights
from kezako.workspace import Workspace
from tests.train.killed import EPOCHS, a_fit

ROOT = Path(__file__).parents[2]
DEADLINE = 300  # seconds, on a busy machine
Draw = Callable[..., tuple[Recipe, Workspace]]


def killed_after(epochs: int, folder: Path, checkpoint: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.train.killed", str(folder)], cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + DEADLINE
    while done(checkpoint) < epochs and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert process.poll() is None, "it ended before it could be killed"
    process.kill()
    process.wait()


def done(checkpoint: Path) -> int:
    if not checkpoint.is_file():
        return 0
    return len(torch.load(checkpoint, weights_only=True)["rows"])


@pytest.mark.slow
@pytest.mark.hosts
@pytest.mark.usefixtures("the_starter")
def test_what_was_killed_ends_as_what_was_not(
    some_faces: Draw, capsys: pytest.CaptureFixture[str]
) -> None:
    _, workspace = some_faces()
    checkpoint = workspace.folder("smileys") / UNFINISHED
    killed_after(2, workspace.root, checkpoint)
    before = torch.load(checkpoint, weights_only=True)
    gone_on, whole = a_fit(workspace.root), a_fit(workspace.root, checkpoint=False)
    said = capsys.readouterr().out
    assert f"Going on after epoch {len(before['rows'])} of {EPOCHS}" in said
    assert gone_on.epoch_lines.rows[: len(before["rows"])] == before["rows"]
    assert len(gone_on.epoch_lines.rows) == len(gone_on.epoch_lines.seconds) == EPOCHS
    assert len(gone_on.recorder.values) == len(whole.recorder.values) == EPOCHS
    assert len(gone_on.recorder.losses) == len(whole.recorder.losses)
    for row, other in zip(gone_on.epoch_lines.rows, whole.epoch_lines.rows, strict=True):
        assert row == pytest.approx(other, rel=1e-3, abs=1e-4)
    theirs = whole.model.state_dict()
    for name, value in gone_on.model.state_dict().items():
        assert torch.allclose(value.float(), theirs[name].float(), rtol=1e-3, atol=1e-4), name
    forget_checkpoint(workspace.folder("smileys"))
    assert not checkpoint.exists()


@pytest.fixture
def a_checkpoint(some_faces: Draw) -> tuple[Checkpoint, Recipe, Pictures, Weights]:
    """One that is on disk, with nothing in it but what says whose it is."""
    recipe, workspace = some_faces()
    pictures = Pictures(recipe, workspace)
    weights = Weights("starter", "", {"first": torch.ones(2)})
    checkpoint = Checkpoint(recipe, pictures, weights)
    torch.save({"key": checkpoint.key, "head": {"error": 0.5}}, checkpoint.file)
    return checkpoint, recipe, pictures, weights


def test_another_recipe_other_pictures_or_weights_begin_anew(
    a_checkpoint: tuple[Checkpoint, Recipe, Pictures, Weights], some_faces: Draw
) -> None:
    _, recipe, pictures, weights = a_checkpoint
    assert Checkpoint(recipe, pictures, weights).head == {"error": 0.5}
    assert Checkpoint(replace(recipe, title="Who?"), pictures, weights).head is not None
    assert Checkpoint(replace(recipe, seed=1), pictures, weights).head is None
    others = Weights("starter", "", {"first": torch.zeros(2)})
    assert Checkpoint(recipe, pictures, others).head is None
    pictures.rows[0].split = "valid" if pictures.rows[0].split == "train" else "train"
    assert Checkpoint(recipe, pictures, weights).head is None


def test_a_spoilt_or_hostile_file_is_no_checkpoint(
    a_checkpoint: tuple[Checkpoint, Recipe, Pictures, Weights], tmp_path: Path
) -> None:
    checkpoint, recipe, pictures, weights = a_checkpoint
    whole = checkpoint.file.read_bytes()
    checkpoint.file.write_bytes(whole[: len(whole) // 2])
    assert Checkpoint(recipe, pictures, weights).head is None

    class Harm:
        def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
            return Path.touch, (tmp_path / "harm",)

    torch.save({"key": checkpoint.key, "head": Harm()}, checkpoint.file)
    assert Checkpoint(recipe, pictures, weights).head is None
    assert not (tmp_path / "harm").exists()
