"""One lock for one workspace item: who holds it is told, and who died holds nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kezako.errors import KezakoError
from kezako.lock import LENT, lent, locked
from tests.holding import ROOT, held
from tests.needs import only_where

pytestmark = pytest.mark.usefixtures("nobody_waits")


@pytest.fixture
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kezako.lock.PATIENCE", 0)


def test_a_second_one_is_told_who_holds_it_and_since_when(tmp_path: Path) -> None:
    item = tmp_path / "wolves"
    with held(item, "train wolves") as process, pytest.raises(KezakoError) as refused, locked(item):
        pass
    assert re.fullmatch(
        rf"{re.escape(str(item))} is in use by kezako train wolves \(process {process.pid}\) "
        r"since \d\d:\d\d\. Wait for its end, or stop it; then run this again\.",
        str(refused.value),
    )


def test_another_machine_and_another_day_are_named(tmp_path: Path) -> None:
    with held(tmp_path / "wolves"):
        note = tmp_path / ".wolves.holder"
        told = json.loads(note.read_text("utf-8"))  # readable while it is locked
        note.write_text(json.dumps({**told, "host": "lab3", "since": "2026-03-05T12:00:00+00:00"}))
        with (
            pytest.raises(KezakoError, match=r"\) since|on lab3\) since \d\d:00 on 5 March\."),
            locked(tmp_path / "wolves"),
        ):
            pass


def test_it_waits_a_moment_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("kezako.lock.PATIENCE", 30)
    item = tmp_path / "wolves"
    with held(item, "credits wolves") as process:
        assert process.stdin
        threading.Timer(0.8, process.stdin.close).start()
        with locked(item):
            assert process.wait() == 0
    said = capsys.readouterr().err
    assert "in use by kezako credits wolves" in said
    assert said.count("Waiting a moment") == 1


@pytest.mark.parametrize("inside", [False, True])
def test_who_is_killed_holds_nothing(tmp_path: Path, inside: bool) -> None:
    item = tmp_path / "wolves"
    with held(item, inside=inside) as process:
        process.kill()
        process.wait()
        with locked(item, inside):
            pass
    assert not list(item.iterdir() if inside else tmp_path.iterdir()), "nothing is left lying about"


def test_it_nests_and_ends_with_the_outermost(tmp_path: Path) -> None:
    item = tmp_path / "wolves"
    with locked(item):
        with locked(item):
            pass
        assert try_from_elsewhere(item) == "refused"
    assert try_from_elsewhere(item) == "held"


def test_a_failure_within_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "wolves"):
        1 / 0  # noqa: B018
    assert try_from_elsewhere(tmp_path / "wolves") == "held"


def test_who_works_for_the_holder_may_change_it(tmp_path: Path) -> None:
    item = tmp_path / "wolves"
    with locked(item):
        assert try_from_elsewhere(item, **lent()) == "held"
        assert try_from_elsewhere(item, **{LENT: f"{os.getpid() + 1} kezako"}) == "refused"
    # The lender holds it no longer, and somebody else does.
    with held(item):
        assert try_from_elsewhere(item, **lent()) == "refused"


@only_where(hasattr(os, "fork"), "copies of processes")
def test_a_copy_of_the_process_holds_nothing(tmp_path: Path) -> None:
    item = tmp_path / "wolves"
    with locked(item):
        child = os.fork()
        if not child:
            try:
                with locked(item):
                    os._exit(1)
            except KezakoError:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert try_from_elsewhere(item) == "refused", "and has not let go of it either"


def test_nobody_waits_in_a_circle(tmp_path: Path) -> None:
    bundle, data = tmp_path / "models" / "wolves", tmp_path / "data" / "wolves"
    with locked(bundle), locked(data, inside=True), locked(bundle):
        pass
    with (
        locked(data, inside=True),
        pytest.raises(RuntimeError, match="asked for while"),
        locked(bundle),
    ):
        pass


def test_where_nothing_can_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    with (
        pytest.raises(KezakoError, match=r"data is a file, and a folder belongs there"),
        locked(tmp_path / "data" / "wolves", inside=True),
    ):
        pass


def try_from_elsewhere(item: Path, **environment: str) -> str:
    """What becomes of another process that asks for `item`."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom kezako import lock\n"
        "lock.PATIENCE = 0\n"
        "try:\n    with lock.locked(Path(sys.argv[1])):\n        print('held')\n"
        "except lock.KezakoError:\n    print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(item)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    return done.stdout.strip()
