"""A training that fails says why in a sentence, keeps its notebook, and leaves what was there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import torch

from kezako.cli import main
from kezako.dataset.manifest import Manifest
from kezako.model.bundle import read_card, read_file
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.conftest import ROOT
from tests.disks import on_a_small_disk
from tests.needs import only_where

DEADLINE = 300  # seconds, on a busy machine
SLEEP = "import time\nprint('epoch 2 of 5: here', flush=True)\ntime.sleep(600)"
Told = subprocess.CompletedProcess[str]


@pytest.fixture
def home(tmp_path: Path, gathered_faces: Callable[[Workspace, int], Recipe]) -> Path:
    """A workspace with enough pictures, whose training notebook a test writes itself."""
    workspace = Workspace(tmp_path / "home")
    gathered_faces(workspace, 10)
    (workspace.root / "notebooks").mkdir()
    return workspace.root


def write_story(home: Path, *cells: str) -> None:
    made = [
        nbformat.v4.new_code_cell("name = interactive = None", metadata={"tags": ["parameters"]})
    ]
    made += [nbformat.v4.new_code_cell(cell) for cell in ("print('it began')", *cells)]
    story = nbformat.v4.new_notebook(cells=made)
    story.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    nbformat.write(story, home / "notebooks" / "train.ipynb")


def started(home: Path, *before: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, sys.executable, "-m", "kezako", "train", "smileys"], cwd=home, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "KEZAKO_HOME": str(home), "PYTHONPATH": str(ROOT)},
        # What starts the tests may have told them to ignore Ctrl+C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def trained(home: Path, *before: str) -> Told:
    process = started(home, *before)
    out, err = process.communicate(timeout=DEADLINE)
    return subprocess.CompletedProcess([], process.returncode, out, err)


@pytest.fixture
def train_here(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[], Told]:
    """The same in this process; the notebook runs in one of its own all the same."""
    monkeypatch.setenv("KEZAKO_HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(home)

    def train() -> Told:
        status = main(["train", "smileys"])
        return subprocess.CompletedProcess([], status, *capfd.readouterr())

    return train


def check_kept(home: Path, done: Told) -> str:
    """The sentence, without the words about the notebook, which is there."""
    failed = home / "data" / "smileys" / "failed.ipynb"
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    words = f" Its notebook, as far as it came, is kept in {failed}."
    assert last.endswith(words)
    outputs = [output for cell in nbformat.read(failed, as_version=4).cells
               for output in cell.get("outputs", ())]  # fmt: skip
    assert outputs[0]["text"] == "it began\n"
    assert outputs[-1]["output_type"] == "error"
    return last.removeprefix("kezako: ").removesuffix(words)


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("from kezako.errors import KezakoError as E\nclass Mine(E): pass\nraise Mine('Mine.')",
         "Mine."),
        ("open('/lost/for/ever')", "There is no /lost/for/ever."),
        ("with open('/dev/full', 'w') as file: file.write('x' * 2**20)", "The disk is full: "),
    ],
)  # fmt: skip
def test_what_a_person_can_mend_is_a_sentence(
    cell: str, sentence: str, home: Path, train_here: Callable[[], Told]
) -> None:
    """One of each way; `tests/test_errors.py` has the sentences."""
    write_story(home, cell)
    done = train_here()
    assert sentence in check_kept(home, done)
    assert "Traceback" not in done.stderr
    assert "IPKernelApp" not in done.stderr


def test_a_fault_shows_its_traceback_and_names_the_cell(home: Path) -> None:
    write_story(home, "def inner():\n    raise ValueError('This DataLoader is empty')\ninner()")
    done = trained(home)
    said = check_kept(home, done)
    cell = nbformat.read(home / "data" / "smileys" / "failed.ipynb", as_version=4).cells[-1]
    assert said == (
        f"The training notebook stopped at cell [{cell.execution_count}] with ValueError: "
        "This DataLoader is empty."
    )
    assert "Traceback (most recent call last)" in done.stderr
    assert "in inner()" in done.stderr
    assert "papermill" not in done.stderr
    assert "\x1b[" not in done.stderr.split("Traceback")[1]  # no colours where nobody looks


def test_a_process_that_the_system_ends_is_told_so(
    home: Path, train_here: Callable[[], Told]
) -> None:
    write_story(home, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    done = train_here()
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert "was ended from outside, most often by the system because memory ran out" in last
    assert "Traceback" not in done.stderr
    assert (home / "data" / "smileys" / "failed.ipynb").is_file()


def test_a_notebook_that_cannot_be_kept_there_is_kept_elsewhere(home: Path, tmp_path: Path) -> None:
    write_story(home, "open('/lost')")
    (home / "data" / "smileys" / "failed.ipynb").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = trained(home, "env", f"TMPDIR={elsewhere}")
    assert f"is kept in {elsewhere / 'smileys-failed.ipynb'}." in done.stderr
    assert (elsewhere / "smileys-failed.ipynb").is_file()
    assert not list((home / "data" / "smileys").glob("*.part"))


def test_a_good_training_forgets_the_failed_one(
    home: Path, a_bundle: Callable[..., Path], train_here: Callable[[], Told]
) -> None:
    write_story(home, "open('/lost')")
    check_kept(home, train_here())
    write_story(home, exports(home, a_bundle))
    done = train_here()
    assert done.returncode == 0, done.stderr
    assert not (home / "data" / "smileys" / "failed.ipynb").exists()


def exports(home: Path, a_bundle: Callable[..., Path]) -> str:
    """A cell that writes a new bundle, and says which one lies in its place then."""
    figures = {"validation": {"error": 0.1, "error_interval": [0.02, 0.4], "pictures": 10}}
    made = a_bundle(home, "made", ("happy", "sad"), title="New?", figures=figures)
    target = home / "models" / "smileys"
    return (
        "import shutil\nfrom pathlib import Path\n"
        "from kezako.model.bundle import new_bundle, read_card\n"
        f"with new_bundle(Path({str(target)!r})) as folder:\n"
        f"    shutil.copytree({str(made)!r}, folder, dirs_exist_ok=True)\n"
        f"there = Path({str(target)!r})\n"
        "title = read_card(there).title if there.exists() else ''\n"
        "print('epoch 1: in its place is', title, flush=True)\n"
    )


def test_a_bundle_is_exchanged_once(
    home: Path, a_bundle: Callable[..., Path], train_here: Callable[[], Told]
) -> None:
    """For each exchange every running page makes its snapshots anew."""
    bundle = a_bundle(home / "models", "smileys", ("happy", "sad"), title="Old?")
    with Manifest(home / "data" / "smileys") as manifest:
        row = manifest.kept()[0]
        row.licence = "CC BY"
        manifest.update(row)
    (home / "data" / "smileys" / "unfinished.pt").write_bytes(b"of this training")
    write_story(home, exports(home, a_bundle))
    done = train_here()
    assert done.returncode == 0, done.stderr
    assert "in its place is Old?" in done.stderr
    card = read_card(bundle)
    assert card.title == "New?"
    assert {"report.html", "credits.md"} <= set(card.files)
    assert "it began" in read_file(bundle, card, "report.html").decode()
    assert "CC BY" in read_file(bundle, card, "credits.md").decode()
    assert not (home / "data" / "smileys" / "unfinished.pt").exists()
    assert sorted(path.name for path in (home / "models").iterdir()) == ["smileys"]


def test_what_was_exported_is_kept_where_a_later_cell_fails(
    home: Path, a_bundle: Callable[..., Path], train_here: Callable[[], Told]
) -> None:
    bundle = a_bundle(home / "models", "smileys", ("happy", "sad"), title="Old?")
    write_story(home, exports(home, a_bundle), "open('/lost')")
    said = check_kept(home, train_here())
    assert "/lost" in said
    card = read_card(bundle)
    assert card.title == "New?"
    assert "report.html" not in card.files


def test_a_notebook_that_exports_nothing_says_so(
    home: Path, a_bundle: Callable[..., Path], train_here: Callable[[], Told]
) -> None:
    bundle = a_bundle(home / "models", "smileys", ("happy", "sad"), title="Old?")
    write_story(home, "'all is well'")
    done = train_here()
    assert done.returncode == 2, done.stderr
    assert "ended without a call of `export`" in done.stderr
    assert read_card(bundle).title == "Old?"


@only_where(os.name == "posix", "Ctrl+C is a signal there")
def test_ctrl_c_after_the_export_keeps_it(home: Path, a_bundle: Callable[..., Path]) -> None:
    write_story(home, exports(home, a_bundle), SLEEP)
    said = stopped(home, 0.5, "epoch 2 of 5")
    assert said == "kezako: stopped. The classifier is written; only its report is missing."
    assert read_card(home / "models" / "smileys").title == "New?"


def stopped(home: Path, seconds: float, said: str = "") -> str:
    """Press Ctrl+C so long after a line of standard error that holds `said`."""
    process = started(home)
    assert process.stderr
    seen = ""
    while said not in seen and (line := process.stderr.readline()):
        seen += line
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130, seen + rest
    assert "Traceback" not in seen + rest
    assert "DeadKernelError" not in seen + rest
    return rest.rstrip().splitlines()[-1]


@only_where(os.name == "posix", "Ctrl+C is a signal there")
@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_ctrl_c_says_that_nothing_is_kept(seconds: float, home: Path) -> None:
    write_story(home, SLEEP)
    (home / "data" / "smileys" / "unfinished.pt").write_bytes(b"of another training")
    os.utime(home / "data" / "smileys" / "unfinished.pt", (1e9, 1e9))
    said = stopped(home, seconds, "epoch 2 of 5")
    assert said == (
        "kezako: stopped. Nothing of this training is kept, and nothing else was changed."
    )


@only_where(os.name == "posix", "Ctrl+C is a signal there")
@pytest.mark.parametrize("goes_on", [True, False])
def test_ctrl_c_says_which_epoch_is_kept(goes_on: bool, home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.pt"
    torch.save({"key": "0", "done": 2, "epochs": 5, "model": {"w": torch.ones(3)}}, kept)
    unfinished = home / "data" / "smileys" / "unfinished.pt"
    if goes_on:  # written by an earlier run
        shutil.copy(kept, unfinished)
        os.utime(unfinished, (1e9, 1e9))
        write_story(home, "print('Going on after epoch 2 of 5: ...', flush=True)\n" + SLEEP)
    else:
        write_story(
            home, f"import shutil\nshutil.copyfile({str(kept)!r}, {str(unfinished)!r})", SLEEP
        )
    said = stopped(home, 0.5, "epoch 2 of 5: here")
    assert said == "kezako: stopped. Epoch 2 of 5 is kept: the same command goes on after it."


@pytest.mark.slow
def test_a_training_on_a_disk_without_room_does_not_begin(home: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    write_story(home, "raise RuntimeError('it began')")
    done = trained_on(disk, "100m", home)
    assert done.returncode == 2
    (said,) = done.stderr.splitlines()
    assert said.startswith("kezako: A training of smileys writes up to ")
    assert f"are free where {disk}" in said


def trained_on(disk: Path, size: str, home: Path) -> Told:
    return subprocess.run(
        [*on_a_small_disk(disk, size, home), sys.executable, "-m", "kezako", "train", "smileys"],
        env={**os.environ, "KEZAKO_HOME": str(disk), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_real_notebook_checks_before_it_imports(
    home: Path, train_here: Callable[[], Told]
) -> None:
    """For who runs it cell by cell: pictures first, then what takes time."""
    story = json.loads((ROOT / "notebooks" / "train.ipynb").read_text())
    code = ["".join(cell["source"]) for cell in story["cells"] if cell["cell_type"] == "code"]
    checked = next(number for number, cell in enumerate(code) if "check_ready(" in cell)
    heavy = next(number for number, cell in enumerate(code) if "fastai" in cell)
    assert checked < heavy
    shutil.copy(ROOT / "notebooks" / "train.ipynb", home / "notebooks")
    for path in sorted((home / "data" / "smileys" / "pictures" / "sad").glob("*.jpg"))[4:]:
        path.unlink()
    (home / "data" / "smileys" / "pictures" / "sad" / "new.jpg").write_text("no picture")
    done = train_here()
    said = check_kept_early(home, done)
    assert said.startswith(
        "smileys needs at least 10 pictures of each class to train on: sad has 4"
    )


def check_kept_early(home: Path, done: Told) -> str:
    failed = home / "data" / "smileys" / "failed.ipynb"
    assert done.returncode == 2, done.stderr
    cells = nbformat.read(failed, as_version=4).cells
    ran = [cell.source for cell in cells if cell.get("execution_count")]
    assert not any("fastai" in source for source in ran)
    return done.stderr.splitlines()[-1].removeprefix("kezako: ")


def test_nothing_is_left_in_the_temporary_folder(home: Path, tmp_path: Path) -> None:
    write_story(home, "open('/lost')")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    trained(home, "env", f"TMPDIR={temporary}")
    assert tempfile.gettempdir() != str(temporary)
    assert [
        path.name for path in temporary.iterdir() if not path.name.startswith("ipykernel")
    ] == []
