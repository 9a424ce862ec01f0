"""An exchange of a bundle that falls into its opening leaves nothing alarming in the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kezako.apart import worker
from kezako.apart.worker import SETTLING, Shelf
from kezako.bundle import MODEL, BundleError
from kezako.classifier import Classifier

Write = Callable[..., Path]


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def a_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(worker, "time", clock)
    return clock


@pytest.fixture
def a_moment(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What happens while a classifier is opened: each is done once, and that opening fails."""
    moments: list[Callable[[], object]] = []
    opened = Classifier.open

    def open_(folder: Path, threads: int = 0) -> Classifier:
        if moments:
            moments.pop(0)()
            raise BundleError("It is not the file that card.json describes.")
        return opened(folder, threads)

    monkeypatch.setattr(Classifier, "open", open_)
    return moments


@pytest.mark.parametrize("before", [True, False], ids=["another was open", "none was"])
def test_it_is_opened_again(
    tmp_path: Path, a_bundle: Write, a_moment: list[Callable[[], object]],
    capfd: pytest.CaptureFixture[str], before: bool,
) -> None:  # fmt: skip
    a_bundle(tmp_path, "colours", ("old", "b", "c"))
    shelf = Shelf(tmp_path)
    if before:
        assert shelf.get("colours").card.labels[0] == "old"
        a_bundle(tmp_path, "colours", ("new", "b", "c"))
    a_moment.append(lambda: a_bundle(tmp_path, "colours", ("newer", "b", "c")))
    a_moment.append(lambda: a_bundle(tmp_path, "colours", ("newest", "b", "c")))
    assert shelf.get("colours").card.labels[0] == "newest"
    assert not capfd.readouterr().err


def test_files_that_arrive_one_by_one_are_waited_for(
    tmp_path: Path, a_bundle: Write, a_clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = a_bundle(tmp_path, "colours", ("old", "b", "c"))
    shelf = Shelf(tmp_path)
    shelf.get("colours")
    a_bundle(tmp_path, "colours", ("new", "b", "c"))
    whole = (folder / MODEL).read_bytes()
    for part in (b"", whole[:100], whole[:200]):
        (folder / MODEL).write_bytes(part)
        a_clock.now += SETTLING / 2
        assert shelf.get("colours").card.labels[0] == "old"
    (folder / MODEL).write_bytes(whole)
    assert shelf.get("colours").card.labels[0] == "new"
    a_clock.now += 10 * SETTLING
    shelf.get("colours")
    assert not capfd.readouterr().err


def test_what_stays_broken_is_said_once(
    tmp_path: Path, a_bundle: Write, a_clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = a_bundle(tmp_path, "colours", ("old", "b", "c"))
    shelf = Shelf(tmp_path)
    shelf.get("colours")
    (folder / MODEL).write_bytes(b"cut short")
    for _ in range(5):
        assert shelf.get("colours").card.labels[0] == "old"
        a_clock.now += SETTLING
    said = capfd.readouterr().err
    assert said.count("The one that was opened before goes on answering.") == 1
    assert str(folder / MODEL) in said
