"""Gathered pictures to clean."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kezako.dataset.manifest import Manifest
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.clean.pictures import COLOURS, a_picture, add_picture, fill

STRAYS = range(100, 112)  # seeds of more pictures of each colour


@pytest.fixture
def gathered_colours(an_empty_workspace: Workspace) -> Recipe:
    """A recipe with six pictures of each of three colours."""
    return fill(an_empty_workspace, each=6)


@pytest.fixture
def the_manifest(an_empty_workspace: Workspace, gathered_colours: Recipe) -> Iterator[Manifest]:
    """The manifest of the gathered colours."""
    with Manifest(an_empty_workspace.folder(gathered_colours.name)) as manifest:
        yield manifest


@pytest.fixture(scope="session")
def _the_features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The features of all these pictures: what they show is the same in each test."""
    from kezako.clean.features import CACHE, measure  # here, since it needs torch

    workspace = Workspace(tmp_path_factory.mktemp("measured"))
    recipe = fill(workspace, each=6)
    folder = workspace.folder(recipe.name)
    with Manifest(folder) as manifest, pytest.MonkeyPatch.context() as patch:
        for colour in COLOURS:
            for seed in (*STRAYS, 77):
                add_picture(manifest, colour, a_picture(colour, seed))
        patch.setenv("KEZAKO_WEIGHTS", "starter")  # no test reaches for a network
        measure(recipe, workspace, manifest.rows())
    return folder / CACHE


@pytest.fixture
def known_features(
    an_empty_workspace: Workspace, gathered_colours: Recipe, _the_features: Path
) -> None:
    """The pictures have been measured with the starter's weights."""
    shutil.copy(_the_features, an_empty_workspace.folder(gathered_colours.name))
