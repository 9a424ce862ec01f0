"""Ray for real: one for all tests of a process, and small classifiers that tell colours apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kezako.workspace import Workspace
from tests.batch.conftest import COLOURS, a_folder_of_pictures  # noqa: F401  a fixture
from tests.needs import needs_package


@pytest.fixture(scope="module")
def a_workspace_of_colours(
    tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]
) -> Workspace:
    """A workspace with the classifier `colours`; a file's own, for one of them exchanges it."""
    home = tmp_path_factory.mktemp("scale")
    a_bundle(home / "models", "colours", tuple(COLOURS))
    return Workspace(home)


@pytest.fixture(scope="session")
def a_ray() -> Iterator[None]:
    """Ray on this machine, as two cores."""
    needs_package("ray")
    from kezako.scale.cluster import connected

    with connected(None, cores=2):
        yield
