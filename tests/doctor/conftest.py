"""A web for the doctor to ask, and where it must not ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.standin import Standin


@pytest.fixture(scope="session")
def the_doctors_web() -> Iterator[Standin]:
    standin = Standin(photos=None).start()
    yield standin
    standin.stop()


@pytest.fixture
def a_web(the_doctors_web: Standin, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    """Search engines played on this machine; the environment leads to them."""
    the_doctors_web.reset()
    for name, value in the_doctors_web.environment().items():
        monkeypatch.setenv(name, value)
    yield the_doctors_web
    the_doctors_web.reset()
