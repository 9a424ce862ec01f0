"""From class names to folders of pictures, through the unmodified search libraries."""

from __future__ import annotations

from collections import Counter

import pytest

from kezako.dataset.manifest import Manifest
from kezako.dataset.split import conflicts
from kezako.gather import gather, sources
from kezako.gather.settings import Settings
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import files_below, recipe_of, rows_of
from tests.standin import Standin


def test_every_class_gets_its_number(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings
) -> None:
    summary = gather(shapes, workspace, settings=drawn_settings)
    assert summary.kept == {"round": 12, "square": 12}
    for folder in shapes.classes:
        assert len(files_below(workspace.pictures("shapes") / folder)) == 12
    for row in rows_of(workspace, "shapes", status="kept"):
        assert (workspace.folder("shapes") / str(row.file)).is_file()
        assert row.split in ("train", "valid")
        assert row.source == "duckduckgo"
        assert row.query == f"{row.folder} shape"
        assert None not in (row.url, row.page, row.sha256, row.phash, row.fetched_at, row.near)


def test_the_next_source_takes_over_and_why_is_said(
    workspace: Workspace,
    shapes: Recipe,
    drawn_settings: Settings,
    drawn_standin: Standin,
    said: list[str],
) -> None:
    drawn_standin.play("duckduckgo", status=403)
    summary = gather(shapes, workspace, ["duckduckgo", "openverse"], drawn_settings)
    assert summary.kept == {"round": 12, "square": 12}
    assert {row.source for row in rows_of(workspace, "shapes", status="kept")} == {"openverse"}
    assert any("duckduckgo" in sentence and "403" in sentence for sentence in said)
    assert set(said) <= set(summary.notes)


def test_sources_that_are_dry_end_the_run(
    workspace: Workspace, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    recipe = recipe_of("shapes", 50, round=["round shape"], square=["square shape"])
    drawn_standin.offer("round shape", drawn_standin.urls("round shape", 7))
    summary = gather(recipe, workspace, ["openverse", "wikimedia"], drawn_settings)
    assert summary.kept["round"] == 7
    assert any(note.startswith("round: 7 of 50 pictures") for note in summary.notes)


def test_every_failure_is_a_row_with_its_reason(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    kinds = ["status-404", "html", "truncated", "noai", "tiny", "redirect-metadata", "blank"]
    good = drawn_standin.urls("round shape", 12)
    drawn_standin.offer("round shape", [*map(drawn_standin.trouble, kinds), *good])
    summary = gather(shapes, workspace, ["openverse"], drawn_settings)
    assert summary.kept["round"] == 12
    assert summary.reasons["round"] == Counter(
        {
            "kept": 12, "not found": 1, "not a picture": 1, "unreadable": 1, "no AI use": 1,
            "too small": 1, "private address": 1, "blank": 1,
        }
    )  # fmt: skip
    assert len(rows_of(workspace, "shapes", folder="round")) == 19


def test_an_answer_of_one_address_is_one_row_however_many_sources_name_it(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    drawn_standin.offer("round shape", drawn_standin.urls("round shape", 5))
    gather(shapes, workspace, ["ddgs", "openverse", "wikimedia"], drawn_settings)
    urls = [str(row.url) for row in rows_of(workspace, "shapes", folder="round")]
    assert sorted(urls) == sorted(drawn_standin.urls("round shape", 5))


def test_the_queries_of_a_class_share_its_pictures(
    workspace: Workspace, drawn_settings: Settings
) -> None:
    recipe = recipe_of("shapes", 12, round=["ring", "ball", "disc"], square=["square shape"])
    gather(recipe, workspace, ["openverse"], drawn_settings)
    kept = rows_of(workspace, "shapes", folder="round", status="kept")
    assert Counter(row.query for row in kept) == {"ring": 4, "ball": 4, "disc": 4}


def test_the_same_picture_under_two_classes_is_a_conflict(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    shared = drawn_standin.urls("thing", 1)
    for query in ("round shape", "square shape"):
        drawn_standin.offer(query, [*shared, *drawn_standin.urls(query, 11)])
    summary = gather(shapes, workspace, ["openverse"], drawn_settings)
    assert summary.kept == {"round": 12, "square": 12}
    assert summary.conflicts == 1
    with Manifest(workspace.folder("shapes")) as manifest:
        (rows,) = conflicts(manifest)
    assert {row.folder for row in rows} == {"round", "square"}
    assert len({row.split for row in rows}) == 1, "near-duplicates lie on one side of the split"


def test_a_copy_under_another_address_is_a_duplicate(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    urls = drawn_standin.urls("round shape", 12)
    drawn_standin.offer("round shape", [urls[0], urls[0] + "?size=full", *urls[1:]])
    gather(shapes, workspace, ["openverse"], drawn_settings)
    (row,) = rows_of(workspace, "shapes", status="duplicate")
    assert row.url == urls[0] + "?size=full"
    assert row.reason == f"same picture: {urls[0]}"


def test_an_unknown_source_is_refused_before_anything_is_gathered(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    with pytest.raises(ValueError, match='did you mean "duckduckgo"'):
        gather(shapes, workspace, ["openverse", "duckduckgoo"], drawn_settings)
    assert not drawn_standin.requests


def test_a_source_of_ones_own_that_breaks_is_said(
    workspace: Workspace,
    shapes: Recipe,
    drawn_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "_registry", dict(sources._registry))

    @sources.register("clumsy")
    class Clumsy:
        name = "clumsy"
        cannot_filter = ("licence",)

        def __init__(self, settings: Settings):
            pass

        def search(self, query: str, limit: int) -> None:
            raise KeyError("image")

    summary = gather(shapes, workspace, ["clumsy", "openverse"], drawn_settings)
    assert summary.kept == {"round": 12, "square": 12}
    assert "clumsy broke on 'round shape': KeyError('image')." in summary.notes
