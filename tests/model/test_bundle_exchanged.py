"""A bundle that is exchanged: by one writer at a time, and nobody who reads it notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kezako.errors import KezakoError
from kezako.model import bundle
from kezako.model.bundle import BundleError, amend, list_bundles, new_bundle, read_bundle, read_card
from kezako.model.classifier import Classifier
from kezako.worker.process import ModelCache
from tests.holding import ROOT, held
from tests.needs import only_where

SECONDS = 3.0  # that readers read
WRITER = """
import os, signal, sys
from pathlib import Path
from kezako.model import bundle
folder, one_step, killed_before = Path(sys.argv[1]), sys.argv[2] == "one step", int(sys.argv[3])
if not one_step:
    bundle._exchange = lambda first, second: False
rename, done = os.replace, 0
def replace(source, target):
    global done
    done += 1
    if done == killed_before:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)
os.replace = replace
number = 0
while True:
    number += 1
    bundle.amend(folder, {"report.html": str(number).encode() * 100_000})
    print(number, flush=True)
"""


@pytest.fixture
def colours(a_bundle: Callable[..., Path], tmp_path: Path) -> Path:
    return a_bundle(tmp_path / "models", "colours", ("red", "green", "blue"))


@pytest.fixture(params=["one step", "two renames"])
def how(request: pytest.FixtureRequest) -> str:
    """How the system exchanges two folders: Linux in one step, others by two renames."""
    return str(request.param)


def writing(folder: Path, how: str, killed_before: int = 0) -> subprocess.Popen[str]:
    """A process that writes it again and again; killed before so many renames where not 0."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), how, str(killed_before)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@contextmanager
def exchanged(folder: Path, how: str) -> Iterator[None]:
    """Within the block a bundle is written anew all the time, without a failure."""
    with writing(folder, how) as writer:
        assert writer.stdout
        assert writer.stderr
        assert writer.stdout.readline() == "1\n"
        threading.Thread(target=writer.stdout.read, daemon=True).start()
        try:
            yield
            assert writer.poll() is None, writer.stderr.read()
        finally:
            writer.kill()


def test_readers_find_it_whole_while_it_is_exchanged(colours: Path, how: str) -> None:
    with exchanged(colours, how):
        end, reports = time.monotonic() + SECONDS, set()
        while time.monotonic() < end:
            assert list_bundles(colours.parent) == ["colours"]
            assert Classifier.open(colours).card.labels == ("red", "green", "blue")
            card, files = read_bundle(colours, lambda card: ["model.onnx", "report.html"])
            assert card.files.keys() == files.keys()
            reports.add(files["report.html"][:9])
    assert len(reports) > 3, "it was exchanged while it was read"


def test_what_serves_it_logs_nothing_alarming(
    colours: Path, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    cache = ModelCache(colours.parent, threads=1)
    with exchanged(colours, how):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            assert cache.get("colours").card.name == "colours"
    assert capfd.readouterr().err == ""


@only_where(sys.platform != "win32", "POSIX signals")
@pytest.mark.parametrize("killed_before", [1, 2])
def test_a_crash_within_two_renames_is_read_and_mended_by_the_next_writer(
    colours: Path, killed_before: int
) -> None:
    before = read_card(colours)
    with writing(colours, "two renames", killed_before) as writer:
        assert writer.wait() == -signal.SIGKILL
    assert colours.exists() == (killed_before == 1)
    left = sorted(path.name for path in colours.parent.iterdir())
    assert list_bundles(colours.parent) == ["colours"]
    assert read_card(colours) == before
    Classifier.open(colours)
    assert sorted(path.name for path in colours.parent.iterdir()) == left, "readers mend nothing"
    amend(colours, {"report.html": b"words"})
    assert [path.name for path in colours.parent.iterdir()] == ["colours"]
    assert read_bundle(colours, lambda card: ["report.html"])[1] == {"report.html": b"words"}


def test_a_broken_bundle_is_told_at_once(colours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("nobody is exchanging it"))
    (colours / "model.onnx").write_bytes(b"copied in part")
    with pytest.raises(BundleError, match="copied in part"):
        Classifier.open(colours)
    with pytest.raises(BundleError, match="no classifier"):
        read_card(colours.with_name("nothing"))


def test_a_second_writer_is_refused_and_the_first_loses_nothing(
    colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kezako.lock.PATIENCE", 0)
    staged = colours.with_name(".colours.new-theirs")
    with held(colours, "train colours"):
        staged.mkdir()
        for write in (lambda: amend(colours, {}), new_bundle(colours).__enter__):
            with pytest.raises(KezakoError, match="in use by kezako train colours"):
                write()
        assert staged.is_dir()
    amend(colours, {})
    assert not staged.exists(), "now it is nobody's"


def test_a_folder_that_was_filled_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    writing = new_bundle(site, replace=False)
    (writing.__enter__() / "index.html").write_text("ours")
    (site / "index.html").write_text("theirs")
    with pytest.raises(KezakoError, match="holds something"):
        writing.__exit__(None, None, None)
    assert (site / "index.html").read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_folder_for_a_host_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    (tmp_path / ".site.old").mkdir()
    (tmp_path / ".site.old" / "mine").write_text("mine")
    with new_bundle(tmp_path / "site", replace=False) as new:
        (new / "index.html").write_text("ours")
    assert (tmp_path / ".site.old" / "mine").read_text() == "mine"
    assert (tmp_path / "site" / "index.html").read_text() == "ours"


def test_two_folders_are_exchanged_in_one_step_where_the_system_can(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert bundle._exchange(tmp_path / "a", tmp_path / "b") == (sys.platform == "linux")
    assert (tmp_path / "a" / "b").exists() == (sys.platform == "linux")
