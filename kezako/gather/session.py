"""One gathering of one classifier: who may write, what is known, what the end of it does."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from kezako.errors import KezakoError
from kezako.gather.keep import Keeper
from kezako.gather.summary import Summary, summarise, told
from kezako.manifest import Manifest
from kezako.recipe import Recipe
from kezako.workspace import Workspace

T = TypeVar("T")
AHEAD = 4  # pictures of a folder read before they are needed; each can have 64 MB


@dataclass
class Session:
    """What the ways of gathering share while they run."""

    recipe: Recipe
    manifest: Manifest
    keeper: Keeper
    before: int  # pictures kept when it began
    notes: list[str] = field(default_factory=list)  # sentences for the summary

    def finish(self, wanted: dict[str, int]) -> Summary:
        """Group copies, give new pictures their side of the split, and sum up."""
        grouped = self.manifest.group()
        self.manifest.split(self.recipe.validation_share, self.recipe.seed)
        self.notes += told(grouped, self.keeper.crossed)
        self.notes += self.manifest.notes()
        folders = tuple(self.recipe.folders)
        return summarise(self.manifest, self.recipe.name, folders, wanted, self.before, self.notes)


@contextmanager
def begin(recipe: Recipe, workspace: Workspace) -> Iterator[Session]:
    """The only session of this classifier. Raises `KezakoError` where another one runs."""
    folder = workspace.folder(recipe.name)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "gather.lock")  # the system lets go of it when its process dies
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise KezakoError(
            f"{recipe.name} is being gathered by another process; wait for its end, or stop it."
        ) from None
    try:
        with Manifest(folder) as manifest:
            manifest.recover()
            yield Session(recipe, manifest, Keeper(manifest), len(manifest.kept()))
    finally:
        lock.release()


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, in a script as in a notebook, whose own loop is busy already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return _run_beside(work)


def _run_beside(work: Coroutine[Any, Any, T]) -> T:
    outcome: list[T | BaseException] = []
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)

    def whole() -> None:
        try:
            outcome.append(loop.run_until_complete(task))
        except BaseException as error:  # raised again in the caller's thread
            outcome.append(error)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    # The context carries which notebook cell progress bars belong to.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(whole,))
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:  # the notebook's stop button
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]
