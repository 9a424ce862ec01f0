"""One gathering of one classifier: the lock, the manifest, and the steps at the end."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from kezako.dataset import split
from kezako.dataset.manifest import Manifest, changing
from kezako.dataset.readiness import next_step
from kezako.gather import damage
from kezako.gather.deduplicator import Deduplicator
from kezako.gather.summary import Summary, split_notes, summarise
from kezako.recipe import Recipe
from kezako.workspace import Workspace

T = TypeVar("T")
AHEAD = 4  # pictures of a folder read ahead; each can have 64 MB


@dataclass
class Session:
    """The state that all ways of gathering share."""

    recipe: Recipe
    manifest: Manifest
    deduplicator: Deduplicator
    before: int  # pictures kept when it began
    notes: list[str] = field(default_factory=list)  # sentences for the summary

    def finish(self, wanted: dict[str, int]) -> Summary:
        """Group copies, assign new pictures to training or validation, and summarise."""
        grouped = split.group(self.manifest)
        split.divide(self.manifest, self.recipe)
        self.notes += split_notes(grouped, self.deduplicator.crossed)
        self.notes += split.notes(self.manifest)
        found = summarise(self.manifest, self.recipe, wanted, self.before, self.notes)
        return replace(found, next=next_step(self.recipe, self.manifest))


@contextmanager
def begin(recipe: Recipe, workspace: Workspace) -> Iterator[Session]:
    """Lock the classifier's data and start a session. Raises `KezakoError` if another one runs."""
    with changing(workspace.folder(recipe.name)) as manifest:
        damaged = damage.set_aside(manifest)
        notes = [damage.said(damaged)] if damaged else []
        before = len(manifest.kept()) + len(damaged)
        yield Session(recipe, manifest, Deduplicator(manifest), before, notes)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine `work`, in a script or in a notebook, whose event loop is busy already."""
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

    # The context says which notebook cell the progress bars belong to.
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
