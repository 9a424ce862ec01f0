"""The stand-in web, one for the whole session and fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kezako.gather.settings import Settings
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import recipe_of

if TYPE_CHECKING:
    from tests.standin import Standin


@pytest.fixture(scope="session")
def the_web() -> Iterator[Standin]:
    """Serves real photos where there are some."""
    from tests.standin import Standin
    from tests.standin.server import shared_photos

    standin = Standin(shared_photos()).start()
    yield standin
    standin.stop()


@pytest.fixture(scope="session")
def the_drawn_web() -> Iterator[Standin]:
    """Serves drawn pictures only: the same bytes on every machine."""
    from tests.standin import Standin

    standin = Standin(photos=None).start()
    yield standin
    standin.stop()


@pytest.fixture
def standin(the_web: Standin) -> Iterator[Standin]:
    the_web.reset()
    yield the_web
    the_web.reset()


@pytest.fixture
def drawn_standin(the_drawn_web: Standin) -> Iterator[Standin]:
    the_drawn_web.reset()
    yield the_drawn_web
    the_drawn_web.reset()


@pytest.fixture
def said() -> list[str]:
    """What the maker was told."""
    return []


@pytest.fixture
def settings(standin: Standin, said: list[str]) -> Settings:
    """Settings that lead to `standin` and note in `said` what the maker is told."""
    return replace(standin.settings(), say=said.append)


@pytest.fixture
def drawn_settings(drawn_standin: Standin, said: list[str]) -> Settings:
    return replace(drawn_standin.settings(), say=said.append)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def shapes() -> Recipe:
    """Two classes of twelve pictures, which the stand-in draws."""
    return recipe_of("shapes", round=["round shape"], square=["square shape"])
