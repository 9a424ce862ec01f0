"""What a kernel writes to its terminal is marked as its own in the log, plain, and not much."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.limits.guest import Guest, ask
from tests.limits.makers import THREAD, write_notebook
from tests.servers import serving, until

SHOUT = r"""import os
os.write(2, b'\x1b[2J[Server] ERROR | forged\n[Server] ERROR | forged\n')
"""


@contextmanager
def a_loud_page(home: Path, models: Path) -> Iterator[tuple[str, Path]]:
    """The address of the page of the notebook in `home`, and its server's log."""
    (home / "models").symlink_to(models)
    command = ["-m", "kezako", "serve", "--no-browser", "--port", "{port}"]
    for address in serving(command, home, "healthz"):
        until(lambda: ask(address, "healthz").status == 200, "The page is not ready.")  # noqa: B023
        yield address, next(home.glob("*.log"))


@pytest.fixture(scope="module")
def a_loud_server(
    tmp_path_factory: pytest.TempPathFactory, a_small_home: Path
) -> Iterator[tuple[str, Path]]:
    home = tmp_path_factory.mktemp("loud")
    write_notebook(home)
    with a_loud_page(home, a_small_home / "models") as page:
        yield page


def written(log: Path, before: int = 0) -> str:
    return log.read_bytes()[before:].decode()


def forged(log: Path, who: str) -> list[str]:
    """The lines in which processes of that kind try to look like the server."""
    return re.findall(rf"^\[Server\] WARNING \| {who} \d+: .*forged$", written(log), re.M)


def does(guest: Guest, press: str) -> None:
    """Press a button, and wait until its kernel has done it."""
    said = guest.widget("LabelModel")
    guest.presses(press)
    assert guest.sees(said, "value") == f"{press} done"


def test_its_lines_are_marked_and_plain(a_loud_server: tuple[str, Path]) -> None:
    address, log = a_loud_server
    guest = Guest(address).arrives().connects()
    does(guest, "shout")
    until(lambda: written(log).count("forged") == 2, "Nothing was written.")
    guest.leaves()
    until(lambda: "half a l\u00efne" in written(log), "Its last words are missing.")
    lines = [line for line in written(log).splitlines() if "forged" in line or "half" in line]
    assert [line.partition(": ")[2] for line in lines] == [
        r"\x1b[2J[Server] ERROR | forged", "[Server] ERROR | forged", "half a l\u00efne",
    ]  # fmt: skip
    assert all(line.startswith("[Server] WARNING | Kernel ") for line in lines)


def test_a_flood_is_cut_with_one_line(a_loud_server: tuple[str, Path]) -> None:
    address, log = a_loud_server
    other, guest = (Guest(address).arrives().connects() for _ in range(2))
    before = log.stat().st_size
    does(guest, "roar")  # 18 MB
    guest.leaves()
    assert other.is_answered()
    does(other, "shout")  # which has its own share
    until(lambda: "forged" in written(log, before), "The other one is not heard.")
    other.leaves()
    text = written(log, before)
    assert 10_000 < len(text.encode()) < 40_000
    assert text.count("It writes too much; the rest is left out.") == 1
    assert not [line for line in text.splitlines() if line.startswith("[Server] ERROR")]


def test_so_are_those_of_kernels_that_start_from_nothing(
    tmp_path: Path, a_small_home: Path
) -> None:
    write_notebook(tmp_path, SHOUT + THREAD)
    with a_loud_page(tmp_path, a_small_home / "models") as (address, log):
        Guest(address).arrives().connects().leaves()
        until(lambda: len(forged(log, "Kernel")) == 2, "It is not heard.")
        assert len(forged(log, "Snapshot")) >= 2  # it is tried again
        assert len(forged(log, "(Snapshot|Kernel)")) == written(log).count("forged")


def test_why_a_notebook_ended_stands_above_that_it_did(tmp_path: Path, a_small_home: Path) -> None:
    write_notebook(tmp_path, SHOUT + "os._exit(1)\n")
    with a_loud_page(tmp_path, a_small_home / "models") as (_, log):
        text = written(log)
    ended = text.index("because the process that runs the notebook ended")
    assert 0 <= text.index("forged") < ended
