"""One gathering at a time, in a script as in a notebook."""

from __future__ import annotations

import asyncio

import pytest

from kezako.errors import KezakoError
from kezako.gather import adopt, gather
from kezako.gather.settings import Settings
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.holding import held


def test_a_second_one_is_refused_while_the_first_runs(
    workspace: Workspace, shapes: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kezako.lock.PATIENCE", 0)
    with (
        held(workspace.folder("shapes"), "gather shapes", inside=True),
        pytest.raises(KezakoError, match=r"shapes is in use by kezako gather shapes \(process"),
    ):
        gather(shapes, workspace, ["openverse"])
    assert adopt(shapes, workspace).added == 0


def test_it_runs_where_a_loop_runs_already_as_in_a_notebook(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings
) -> None:
    async def cell() -> dict[str, int]:
        return gather(shapes, workspace, ["openverse"], drawn_settings).kept

    assert asyncio.run(cell()) == {"round": 12, "square": 12}


def test_an_error_inside_a_notebook_is_the_callers(workspace: Workspace, shapes: Recipe) -> None:
    async def cell() -> None:
        gather(shapes, workspace, ["nowhere"], Settings())

    with pytest.raises(ValueError, match='no source "nowhere"'):
        asyncio.run(cell())


def test_the_summary_is_text_and_html_that_strangers_cannot_write_into(
    workspace: Workspace, shapes: Recipe
) -> None:
    (workspace.pictures("shapes") / "<img src=x>").mkdir(parents=True)
    (workspace.pictures("shapes") / "<img src=x>" / "a.jpg").write_bytes(b"x")
    summary = adopt(shapes, workspace)
    assert "<img src=x> (1)" in repr(summary)
    assert "&lt;img src=x&gt; (1)" in summary._repr_html_()
    assert "<img" not in summary._repr_html_()
