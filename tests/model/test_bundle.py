"""A bundle is written whole or not at all, and read only if it is what its card describes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kezako.model.bundle import (
    CARD,
    MODEL,
    BundleError,
    amend,
    handed_over,
    list_bundles,
    new_bundle,
    read_card,
    read_file,
)
from kezako.model.classifier import Classifier

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from kezako.model.bundle import amend
folder, number = Path(sys.argv[1]), 0
while True:
    number += 1
    amend(folder, {"report.html": str(number).encode() * 100_000})
    print(number, flush=True)
"""


@pytest.fixture
def colours(a_bundle: Callable[..., Path], tmp_path: Path) -> Path:
    """A small classifier of a picture's mean colour."""
    return a_bundle(tmp_path / "models", "colours", ("red", "green", "blue"))


def test_a_kill_at_any_moment_leaves_a_whole_bundle(colours: Path) -> None:
    draw = random.Random(0)
    for _ in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(colours)], cwd=ROOT, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert writer.stdout
        assert writer.stdout.readline()  # it writes
        time.sleep(draw.uniform(0, 0.05))  # not to wait for something: the moment is to be random
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        card = read_card(colours)
        for name in card.files:
            read_file(colours, card, name)
    assert list_bundles(colours.parent) == ["colours"]


def test_what_a_killed_writer_left_is_swept_by_the_next(colours: Path) -> None:
    left = colours.parent / ".colours.new-abc"
    left.mkdir()
    amend(colours, {"report.html": b"words"})
    assert sorted(path.name for path in colours.parent.iterdir()) == ["colours"]


def test_what_stays_as_it_is_is_not_copied(colours: Path) -> None:
    amend(colours, {"report.html": b"first"})
    model, report = (colours / MODEL).stat().st_ino, (colours / "report.html").open("rb")
    amend(colours, {"report.html": b"second"})
    assert (colours / MODEL).stat().st_ino == model
    with report:  # who reads the old one reads it to its end
        assert report.read() == b"first"
    assert read_file(colours, read_card(colours), "report.html") == b"second"


def test_a_failure_while_writing_keeps_the_old(colours: Path) -> None:
    before = (colours / CARD).read_text()
    with pytest.raises(FileNotFoundError), new_bundle(colours) as folder:
        (folder / MODEL).unlink()  # as yet the new bundle has none
    assert (colours / CARD).read_text() == before


def test_a_changed_model_is_refused_with_a_sentence(colours: Path) -> None:
    (colours / MODEL).write_bytes((colours / MODEL).read_bytes() + b"x")
    with pytest.raises(BundleError, match=r"was changed or copied in part.*train again"):
        Classifier.open(colours)


def test_a_missing_bundle_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="kezako train bears"):
        Classifier.open(tmp_path / "bears")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"labels": []},
        {"task": "guess"},
        {"answer": "no place for it"},
        {"preprocessing": {"size": 10**9, "resize": "crop", "mode": "RGB"}},
        {"labels": ["only", "two"]},
    ],
)
def test_a_card_that_lies_is_refused(colours: Path, change: dict[str, object]) -> None:
    card = json.loads((colours / CARD).read_text())
    card["preprocessing"] |= change.pop("preprocessing", {})  # type: ignore[operator]
    (colours / CARD).write_text(json.dumps(card | change))
    with pytest.raises(BundleError):
        Classifier.open(colours)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}', "null"])
def test_a_card_that_is_none_is_refused(colours: Path, text: str) -> None:
    (colours / CARD).write_text(text)
    with pytest.raises(BundleError):
        Classifier.open(colours)


def test_what_another_process_fills_is_amended_there(
    colours: Path, a_bundle: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a cell after the export; the bundle before stays until the other one replaces it."""
    with new_bundle(colours) as staged:
        for name, value in handed_over(staged).items():
            monkeypatch.setenv(name, value)
        assert a_bundle(colours.parent, "colours", ("new", "b", "c")) == colours
        amend(colours, {"credits.md": b"by Ann"})
        assert read_card(colours).labels[0] == "red"
        assert read_file(staged, read_card(staged), "credits.md") == b"by Ann"
    assert read_card(colours).labels[0] == "new"
    assert read_file(colours, read_card(colours), "credits.md") == b"by Ann"
