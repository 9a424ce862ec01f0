"""The three words of this stage: `gather`, `gather_from`, `adopt`. Each can be said again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kezako.gather.class_names import class_named
from kezako.gather.own_pictures import adopt_dropped, take_from
from kezako.gather.session import begin, run
from kezako.gather.settings import Settings
from kezako.gather.summary import Summary
from kezako.recipe import Recipe
from kezako.workspace import Workspace


def gather(
    recipe: Recipe,
    workspace: Workspace,
    sources: Sequence[str] | None = None,  # instead of the recipe's
    settings: Settings | None = None,  # instead of the environment's
) -> Summary:
    """Bring every class to the recipe's number of pictures, or until the sources are dry.

    Goes on where an earlier run ended, however it ended. Raises `KezakoError` for a source that
    does not exist.
    """
    asked = recipe.sources if sources is None else tuple(sources)
    return run(_gather(recipe, workspace, asked, settings or Settings.from_environment()))


def gather_from(
    recipe: Recipe,
    workspace: Workspace,
    path: str | os.PathLike[str],  # a folder or zip with one sub-folder a class
    folder: str | None = None,  # the class of all its pictures, where it has no such sub-folders
) -> Summary:
    """Copy pictures that a person saved. Raises `KezakoError` where there is nothing to copy."""
    chosen = None if folder is None else class_named(recipe, folder)
    return run(_gather_from(recipe, workspace, Path(path).expanduser(), chosen))


def adopt(recipe: Recipe, workspace: Workspace) -> Summary:
    """Take in what a person dropped into `data/NAME/pictures/CLASS/`; asks no network."""
    return run(_adopt(recipe, workspace))


async def _gather(
    recipe: Recipe, workspace: Workspace, sources: tuple[str, ...], settings: Settings
) -> Summary:
    from kezako.gather.web import gather_web  # here, since pictures by hand need no HTTP client

    with begin(recipe, workspace) as session:
        await adopt_dropped(session)
        await gather_web(session, sources, settings)
        return session.finish(dict.fromkeys(recipe.folders, recipe.pictures_per_class))


async def _gather_from(
    recipe: Recipe, workspace: Workspace, path: Path, folder: str | None
) -> Summary:
    with begin(recipe, workspace) as session:
        await adopt_dropped(session)
        await take_from(session, path, folder)
        return session.finish({})


async def _adopt(recipe: Recipe, workspace: Workspace) -> Summary:
    with begin(recipe, workspace) as session:
        await adopt_dropped(session)
        return session.finish({})
