"""Heroku's way: install, start the Procfile's line in 512 MB, answer ten, stop when told."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.ports import unused_port
from benchmarks.serving.tree import Group, NoLimit, limited
from benchmarks.slug import HELD, compressed, packages_of
from tests.deploy.environments import copy_environment
from tests.deploy.running import Running, come_and_classify, running
from tests.limits.guest import Guest
from tests.needs import needs

pytestmark = pytest.mark.hosts

DYNO = 512 * 1000 * 1000  # bytes


@pytest.fixture
def a_dyno_s_memory() -> Iterator[Group]:
    """A group of processes that are killed beyond 512 MB."""
    try:
        with limited(DYNO) as group:
            yield group
    except NoLimit as error:
        needs("cgroup", False, str(error))


@pytest.fixture
def a_slug(
    tmp_path: Path, a_clone: Callable[..., Path], a_bare_environment: Path
) -> tuple[Path, Path]:
    """The repository as Heroku builds it, and the environment that it made for it."""
    ignored = (Path(__file__).parents[2] / ".slugignore").read_text(encoding="utf-8")
    app = a_clone(tmp_path / "app", ignored)
    environment = copy_environment(a_bare_environment, tmp_path / "python")
    subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "-r",
         "requirements.txt"],
        cwd=app, check=True,
    )  # fmt: skip
    return app, environment


@contextmanager
def a_dyno(app: Path, environment: Path, group: Group) -> Iterator[Running]:
    """The Procfile's web process, run by a runner of Procfiles."""
    port = unused_port()
    command = [*group.prefix, sys.executable, "-m", "honcho", "start", "--no-prefix", "web"]
    settings = {
        "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
        "HOME": str(app),
        "LANG": "en_US.UTF-8",
        "DYNO": "web.1",
        "PORT": str(port),
    }
    with running(command, app, port, **settings) as server:
        yield server


def test_what_it_installs_stays_small(a_bare_environment: Path) -> None:
    assert compressed(packages_of(a_bare_environment)) <= HELD


def test_the_limit_of_memory_kills(a_dyno_s_memory: Group) -> None:
    greedy = [*a_dyno_s_memory.prefix, sys.executable, "-c", "b'x' * 600_000_000"]
    assert subprocess.run(greedy, check=False).returncode == -signal.SIGKILL
    assert a_dyno_s_memory.killed == 1


def test_ten_are_answered_and_told_when_it_stops(
    a_slug: tuple[Path, Path], a_dyno_s_memory: Group
) -> None:
    with a_dyno(*a_slug, a_dyno_s_memory) as dyno:
        dyno.until_ready()
        come_and_classify(dyno.address, 10)
        assert a_dyno_s_memory.killed == 0
        guests = [Guest(dyno.address).arrives().connects() for _ in range(2)]
        begun = time.monotonic()
        dyno.process.send_signal(signal.SIGTERM)
        assert [guest.is_dismissed() for guest in guests] == [(1001, "The server is stopping.")] * 2
        dyno.process.wait(timeout=30)
        assert time.monotonic() - begun < 10, "Heroku kills after that many"
    assert dyno.said.count("visit: ") == 12
    assert "203.0.113." not in dyno.said
    assert "Traceback" not in dyno.said


def test_the_folder_for_heroku_needs_nothing_else(
    deployed: Callable[[str, Path], Path],
    a_bare_environment: Path,
    a_dyno_s_memory: Group,
    tmp_path: Path,
) -> None:
    with a_dyno(deployed("heroku", tmp_path / "page"), a_bare_environment, a_dyno_s_memory) as dyno:
        dyno.until_ready()
        come_and_classify(dyno.address, 1)
