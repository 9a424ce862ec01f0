"""Said again, a gathering goes on where it was; asked for more, it only adds."""

from __future__ import annotations

from kezako.dataset.manifest import Manifest
from kezako.gather import gather
from kezako.gather.settings import Settings
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import files_below, recipe_of, rows_of
from tests.standin import Standin


def test_again_asks_nothing_and_changes_nothing(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    gather(shapes, workspace, ["openverse"], drawn_settings)
    rows, asked = rows_of(workspace, "shapes"), len(drawn_standin.requests)
    summary = gather(shapes, workspace, ["openverse"], drawn_settings)
    assert summary.added == 0
    assert rows_of(workspace, "shapes") == rows
    assert len(drawn_standin.requests) == asked


def test_more_only_adds_and_no_picture_changes_its_side(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    gather(shapes, workspace, ["openverse"], drawn_settings)
    before = {row.url: row for row in rows_of(workspace, "shapes", status="kept")}
    more = recipe_of("shapes", 30, round=["round shape"], square=["square shape"])
    summary = gather(more, workspace, ["openverse"], drawn_settings)
    after = {row.url: row for row in rows_of(workspace, "shapes", status="kept")}
    assert summary.kept == {"round": 30, "square": 30}
    assert summary.added == 36
    assert {url: after[url] for url in before} == before
    fetched = [seen.path for seen in drawn_standin.requests if seen.path.startswith("/drawn/")]
    kept_paths = [str(url).split(".test", 1)[1] for url in before]
    assert {fetched.count(path) for path in kept_paths} == {1}, "nothing is fetched twice"


def test_what_a_person_took_away_does_not_come_back(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings
) -> None:
    gather(shapes, workspace, ["openverse"], drawn_settings)
    gone = rows_of(workspace, "shapes", status="kept")[0]
    (workspace.folder("shapes") / str(gone.file)).unlink()
    summary = gather(shapes, workspace, ["openverse"], drawn_settings)
    assert summary.kept == {"round": 12, "square": 12}
    (row,) = rows_of(workspace, "shapes", url=gone.url)
    assert row.status == "missing"
    assert not (workspace.folder("shapes") / str(gone.file)).exists()


def test_a_removed_picture_does_not_come_back_by_another_address(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    gather(shapes, workspace, ["openverse"], drawn_settings)
    with Manifest(workspace.folder("shapes")) as manifest:
        removed = manifest.rows(folder="round", status="kept")[0]
        (workspace.folder("shapes") / str(removed.file)).unlink()
        removed.status, removed.reason, removed.file = "removed", "marked while cleaning", None
        manifest.update(removed)
    copy = f"{removed.url}?copy"
    drawn_standin.offer("round shape", [copy, *drawn_standin.urls("round shape", 120)])
    more = recipe_of("shapes", 20, round=["round shape"], square=["square shape"])
    summary = gather(more, workspace, ["openverse"], drawn_settings)
    assert summary.kept["round"] == 20
    (row,) = rows_of(workspace, "shapes", url=copy)
    assert row.reason == f"removed before: {removed.url}"


def test_what_is_left_over_is_used_before_anything_is_searched(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    gather(shapes, workspace, ["openverse"], drawn_settings)
    waiting = len(rows_of(workspace, "shapes", folder="round", status="pending"))
    assert waiting > 2
    searched = drawn_standin.count("openverse")
    more = recipe_of("shapes", 14, round=["round shape"], square=["square shape"])
    gather(more, workspace, ["openverse"], drawn_settings)
    assert drawn_standin.count("openverse") == searched
    left = rows_of(workspace, "shapes", folder="round", status="pending")
    assert len(left) == waiting - 2
    assert len(files_below(workspace.pictures("shapes"))) == 28
