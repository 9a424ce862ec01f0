"""The functions of this stage: `gather`, `gather_from` and `adopt`. Each can be run again."""

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
    """Fetch pictures until every class has the recipe's number or the sources have no more.

    Continues where an earlier run ended, even if it was killed. Raises `KezakoError` for an unknown
    source.
    """
    asked = recipe.sources if sources is None else tuple(sources)
    return run(_gather(recipe, workspace, asked, settings or Settings.from_environment()))


def gather_from(
    recipe: Recipe,
    workspace: Workspace,
    path: str | os.PathLike[str],  # a folder or zip with one sub-folder per class
    folder: str | None = None,  # the class of all its pictures, if it has no such sub-folders
) -> Summary:
    """Copy your own pictures. Raises `KezakoError` if there is nothing to copy."""
    chosen = None if folder is None else class_named(recipe, folder)
    return run(_gather_from(recipe, workspace, Path(path).expanduser(), chosen))


def adopt(recipe: Recipe, workspace: Workspace) -> Summary:
    """Add what you put into `data/NAME/pictures/CLASS/`; no network. Raises `KezakoError`."""
    return run(_adopt(recipe, workspace))


async def _gather(
    recipe: Recipe, workspace: Workspace, sources: tuple[str, ...], settings: Settings
) -> Summary:
    from kezako.gather.web import gather_web  # lazy: your own pictures need no HTTP client

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
