"""Servers with limits small enough to be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.limits.guest import ask
from tests.servers import serving, until

Host = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="session")
def a_small_home(tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]) -> Path:
    """A workspace with one classifier."""
    home = tmp_path_factory.mktemp("home")
    a_bundle(home / "models", "colours", ("red", "green", "blue"))
    return home


@pytest.fixture(scope="session")
def a_host(a_small_home: Path) -> Host:
    """Starts `kezako serve` with arguments and settings; gives its address."""

    @contextmanager
    def host(*arguments: str, **settings: str) -> Iterator[str]:
        command = ["-m", "kezako", "serve", "--no-browser", "--port", "{port}", *arguments]
        for address in serving(command, a_small_home, "healthz", **settings):
            until(lambda: ask(address, "healthz").status == 200, "The page is not ready.")  # noqa: B023
            yield address

    return host
