"""An exchange of a bundle in the middle of everything leaves nothing alarming in the log."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kezako.model import bundle
from kezako.model.bundle import CREDITS, HEAD, KNOWN, MODEL, new_bundle, read_card, write_card
from kezako.worker import process
from kezako.worker.process import SETTLING, ModelCache
from tests.api.client import Client, colour
from tests.limits.guest import Guest
from tests.servers import serving, until

Write = Callable[..., Path]
# Where much else runs, nobody shall be turned away for that.
PATIENT = {"KEZAKO_API_DEADLINE": "600", "KEZAKO_API_SECONDS_EACH": "600", "KEZAKO_OPENING": "600"}


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def a_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(process, "time", clock)
    return clock


def test_files_that_arrive_one_by_one_are_waited_for(
    tmp_path: Path, a_bundle: Write, a_clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = a_bundle(tmp_path, "colours", ("old", "b", "c"))
    cache = ModelCache(tmp_path)
    cache.get("colours")
    a_bundle(tmp_path, "colours", ("new", "b", "c"))
    whole = (folder / MODEL).read_bytes()
    for part in (b"", whole[:100], whole[:200]):
        (folder / MODEL).write_bytes(part)
        a_clock.now += SETTLING / 2
        assert cache.get("colours").card.labels[0] == "old"
    (folder / MODEL).write_bytes(whole)
    assert cache.get("colours").card.labels[0] == "new"
    a_clock.now += 10 * SETTLING
    cache.get("colours")
    assert not capfd.readouterr().err


def test_what_stays_broken_is_said_once(
    tmp_path: Path, a_bundle: Write, a_clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = a_bundle(tmp_path, "colours", ("old", "b", "c"))
    cache = ModelCache(tmp_path)
    cache.get("colours")
    (folder / MODEL).write_bytes(b"cut short")
    for _ in range(5):
        assert cache.get("colours").card.labels[0] == "old"
        a_clock.now += SETTLING
    said = capfd.readouterr().err
    assert said.count("The one that was opened before goes on answering.") == 1
    assert str(folder / MODEL) in said


@pytest.mark.slow
@pytest.mark.parametrize(
    "atomic",
    [
        pytest.param(True, id="in one step"),
        pytest.param(False, id="by two renames", marks=pytest.mark.hosts),
    ],
)
def test_who_asks_and_who_visits_meanwhile_notices_nothing(
    tmp_path: Path, the_repository: Path, atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not atomic:  # as on macOS and Windows
        monkeypatch.setattr(bundle, "_exchange", lambda *_: False)
    bears, models = the_repository / "models" / "bears", tmp_path / "models"
    _exchange(bears, models / "bears", 0)
    command = ["-m", "kezako", "serve", "bears", "--no-browser", "--port", "{port}"]
    for address in serving(command, tmp_path, "healthz", **PATIENT):
        with Client(address) as api:
            until(lambda: api.http.get("healthz").status_code == 200)
            with _asking(address) as answered, _visiting(address) as visited:
                for number in range(1, 7):
                    _exchange(bears, models / "bears", number)
                    so_far = len(answered)
                    until(lambda: len(answered) > so_far + 1)  # noqa: B023
                until(lambda: len(visited) >= 3)
            assert set(answered) == {200}
            assert set(visited) == {True}
    log = next(tmp_path.glob("*.log")).read_text()
    assert not [line for line in log.splitlines() if line.startswith("[")]


def _exchange(source: Path, folder: Path, number: int) -> None:
    """Write the bundle anew, with a model that differs in nothing but its bytes."""
    card = read_card(source)
    with new_bundle(folder) as staged:
        for name in {MODEL, HEAD, KNOWN, CREDITS} & {*card.files}:
            shutil.copy(source / name, staged)
        with (staged / MODEL).open("ab") as model:
            model.write(b"\x1a\x01" + bytes([48 + number % 10]))  # protobuf: its domain, anew
        write_card(staged, replace(card, title=f"Bears {number}"))


@contextmanager
def _again_and_again(act: Callable[[], object]) -> Iterator[list[object]]:
    """Do it all the time, in another thread: what came of it each time."""
    came: list[object] = []
    over = threading.Event()

    def go() -> None:
        while not over.is_set():
            try:
                came.append(act())
            except Exception as error:
                came.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield came
    finally:
        over.set()
        thread.join()


@contextmanager
def _asking(address: str) -> Iterator[list[object]]:
    picture = colour(250, 20, 20)
    with (
        Client(address) as api,
        _again_and_again(lambda: api.send(picture, model="bears").status_code) as came,
    ):
        yield came


def _visiting(address: str) -> AbstractContextManager[list[object]]:
    def visit() -> bool:
        guest = Guest(address).arrives("?model=bears").connects()
        known = guest.is_answered() and "cannot be opened" not in guest.page
        guest.leaves()
        return known

    return _again_and_again(visit)
