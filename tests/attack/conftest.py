"""One server for all attacks: its log stays clean, and after each file it serves a visitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.limits.guest import ask, visit
from tests.servers import serving, until

HOSTILE = ("<script>document.title='taken'</script>", "<img src=x onerror=alert(1)>", "{{ 7*7 }}")


@pytest.fixture(scope="session")
def a_besieged_home(
    tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]
) -> Path:
    """A workspace whose second classifier has scripts for names."""
    home = tmp_path_factory.mktemp("besieged")
    a_bundle(home / "models", "colours", ("red", "green", "blue"))
    a_bundle(home / "models", "hostile", HOSTILE, title="</script><script>alert(2)</script>")
    return home


@pytest.fixture(scope="session")
def a_server(a_besieged_home: Path) -> Iterator[str]:
    command = ["-m", "kezako", "serve", "colours", "--no-browser", "--port", "{port}"]
    for address in serving(command, a_besieged_home, "healthz"):
        until(lambda: ask(address, "healthz").status == 200, "the page was ready")  # noqa: B023
        yield address


@pytest.fixture(scope="module")
def a_visited_server(a_server: str) -> Iterator[str]:
    """Its address. When the file's tests have run, a normal visitor opens the page."""
    yield a_server
    visit(a_server)


@pytest.fixture
def the_target(a_visited_server: str, a_besieged_home: Path) -> Iterator[str]:
    """Its address. The test fails if the server does not answer afterwards, or logs a fault."""
    log = next(a_besieged_home.glob("*.log"))
    before = len(log.read_text(encoding="utf-8"))
    yield a_visited_server
    assert ask(a_visited_server, "healthz").status == 200
    written = log.read_text(encoding="utf-8")
    assert "Traceback" not in written[before:]
    assert not {sign for sign in written if not sign.isprintable()} - {"\n"}
