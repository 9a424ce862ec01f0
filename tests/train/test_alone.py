"""One training of a recipe at a time; a second one is told at once, and spoils nothing."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kezako.cli import main
from kezako.dataset.manifest import Manifest
from kezako.dataset.readiness import UNFINISHED
from kezako.dataset.row import Row
from kezako.errors import KezakoError
from kezako.gather.credits import write_credits
from kezako.model.bundle import amend, list_bundles, read_bundle
from kezako.recipe import Recipe
from kezako.train.checkpoint import Checkpoint
from kezako.train.dataset import Pictures
from kezako.train.weights import Weights
from kezako.workspace import Workspace
from tests.clean.pictures import fill
from tests.holding import ROOT, held
from tests.train.killed import a_learner

Draw = Callable[..., tuple[Recipe, Workspace]]


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kezako.lock.PATIENCE", 0)


@pytest.mark.parametrize("inside", [False, True], ids=["it is trained", "its pictures are moved"])
def test_the_command_says_who_does_what_before_it_starts(
    an_empty_workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    inside: bool,
) -> None:
    fill(an_empty_workspace, "pets", each=12)
    monkeypatch.setattr("papermill.execute_notebook", lambda *_, **__: pytest.fail("it started"))
    item = an_empty_workspace.folder("pets") if inside else an_empty_workspace.bundle("pets")
    item.parent.mkdir(exist_ok=True)
    with held(item, "train pets", inside):
        assert main(["train", "pets"]) == 2
    assert "pets is in use by kezako train pets (process" in capsys.readouterr().err


def test_two_trainings_do_not_share_a_checkpoint(some_faces: Draw, the_starter: Weights) -> None:
    recipe, workspace = some_faces()
    bundle = workspace.bundle("smileys")
    bundle.parent.mkdir()
    pictures = Pictures(recipe, workspace)
    with held(bundle, "train smileys"), pytest.raises(KezakoError, match="in use by kezako train"):
        Checkpoint(recipe, pictures, the_starter)
    checkpoint = Checkpoint(recipe, pictures, the_starter)
    assert is_held(bundle)
    assert pickle.loads(pickle.dumps(checkpoint)).file == checkpoint.file
    checkpoint.release()
    assert not is_held(bundle)


@pytest.mark.slow
def test_a_fit_holds_what_it_was_told_to_let_go_of(some_faces: Draw, the_starter: Weights) -> None:
    _, workspace = some_faces()
    learn = a_learner(workspace.root, checkpoint=True)
    learn.checkpoint.release()
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(1)
    assert (workspace.folder("smileys") / UNFINISHED).is_file()
    assert is_held(workspace.bundle("smileys"))
    learn.checkpoint.release()


def test_credits_wait_for_a_training_and_spoil_nothing(
    some_faces: Draw, a_bundle: Callable[..., Path]
) -> None:
    recipe, workspace = some_faces()
    bundle = a_bundle(workspace.models, "smileys", ("a", "b"))
    staged = bundle.with_name(".smileys.new-training")
    with Manifest(workspace.folder("smileys")) as manifest:
        manifest.add(Row("happy", "kept", file="pictures/happy/x.jpg", licence="CC BY"))
        with held(bundle, "train smileys"):
            staged.mkdir()
            with pytest.raises(KezakoError, match="in use by kezako train smileys"):
                write_credits(recipe, manifest, workspace)
            assert staged.is_dir()
        write_credits(recipe, manifest, workspace)
    assert b"CC BY" in read_bundle(bundle, lambda card: ["credits.md"])[1]["credits.md"]
    assert [path.name for path in workspace.models.iterdir()] == ["smileys"]


def test_an_import_does_not_replace_what_came_meanwhile(
    an_empty_workspace: Workspace,
    a_bundle: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The name is known only after the file was read; until then another process may take it."""
    file = an_empty_workspace.root / "pets.pkl"
    file.write_bytes(b"\x80\x02N.")

    def read(_: object) -> dict[str, object]:
        a_bundle(an_empty_workspace.models, "pets", ("cat", "dog"))
        return {"notes": [], "labels": ["a", "b"]}

    monkeypatch.setattr("kezako.importer.run.convert_apart", read)
    assert main(["import", str(file)]) == 2
    assert "There is a classifier pets already" in capsys.readouterr().err
    assert list_bundles(an_empty_workspace.models) == ["pets"]
    with held(an_empty_workspace.bundle("pets"), "train pets"):
        assert main(["import", str(file), "--name", "pets", "--replace"]) == 2
    assert "in use by kezako train pets" in capsys.readouterr().err
    amend(an_empty_workspace.bundle("pets"), {})


def is_held(item: Path) -> bool:
    """Whether another process is refused."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom kezako import lock\n"
        "with lock.locked(Path(sys.argv[1]), patience=0):\n    pass\n"
    )
    command = [sys.executable, "-c", program, str(item)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0 or "is in use by" in done.stderr, done.stderr
    return done.returncode != 0
