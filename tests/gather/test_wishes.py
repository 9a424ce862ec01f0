"""What the recipe wishes for goes out with each search; what a source cannot filter is said."""

from __future__ import annotations

import pytest

from kezako.gather import gather
from kezako.gather.settings import Settings
from kezako.workspace import Workspace
from tests.gather.saved import recipe_of
from tests.standin import Standin

CLASSES = {"round": ["round shape"], "square": ["square shape"]}


@pytest.mark.parametrize(
    ("wishes", "filters"),
    [
        ("", {"type:photo"}),
        ('licence = "free"\nphotos_only = false', {"license:any"}),
    ],
)
def test_duckduckgo_is_asked_for_what_the_recipe_wishes(
    wishes: str,
    filters: set[str],
    workspace: Workspace,
    drawn_settings: Settings,
    drawn_standin: Standin,
) -> None:
    recipe = recipe_of("shapes", 2, wishes, **CLASSES)
    gather(recipe, workspace, ["duckduckgo"], drawn_settings)
    searches = [seen for seen in drawn_standin.requests if seen.path == "/i.js"]
    assert searches
    for seen in searches:
        assert set(seen.query["f"].split(",")) - {""} == filters


@pytest.mark.parametrize(
    ("wishes", "openverse", "wikimedia", "ddgs"),
    [
        ("", None, "photo only", "photo only"),
        ("photos_only = false", None, None, None),
        ('licence = "free"', None, "photo only", "licence or photo only"),
        ('licence = "free"\nphotos_only = false', None, None, "licence"),
    ],
)
def test_what_a_source_cannot_filter_is_said_where_it_is_wished(
    wishes: str,
    openverse: str | None,
    wikimedia: str | None,
    ddgs: str | None,
    workspace: Workspace,
    drawn_settings: Settings,
    drawn_standin: Standin,
) -> None:
    for query in ("round shape", "square shape"):
        drawn_standin.offer(query, drawn_standin.urls(query, 2))
    recipe = recipe_of("shapes", 3, wishes, **CLASSES)
    asked = {"openverse": openverse, "wikimedia": wikimedia, "ddgs": ddgs}
    notes = gather(recipe, workspace, list(asked), drawn_settings).notes
    said = [note for note in notes if "cannot filter" in note]
    assert said == [f"{name} cannot filter by {what}." for name, what in asked.items() if what]
