"""Gathered pictures to clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kezako.dataset.manifest import Manifest
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.clean.pictures import fill


@pytest.fixture
def gathered_colours(an_empty_workspace: Workspace) -> Recipe:
    """A recipe with six pictures of each of three colours."""
    return fill(an_empty_workspace, each=6)


@pytest.fixture
def the_manifest(an_empty_workspace: Workspace, gathered_colours: Recipe) -> Iterator[Manifest]:
    """The manifest of the gathered colours."""
    with Manifest(an_empty_workspace.folder(gathered_colours.name)) as manifest:
        yield manifest
