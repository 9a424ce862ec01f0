"""What the recipe wishes for goes out with each search; what a source cannot filter is said."""

from __future__ import annotations

import json

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
        ("", None, "photo only or safe search", None),
        ("photos_only = false", None, "safe search", None),
        ("safe = false", None, "photo only", "photo only"),
        ("safe = false\nphotos_only = false", None, None, None),
        ('safe = false\nlicence = "free"', None, "photo only", "licence or photo only"),
        ('safe = false\nlicence = "free"\nphotos_only = false', None, None, "licence"),
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


@pytest.mark.parametrize(("wish", "strict"), [("", "1"), ("safe = false", "-1")])
@pytest.mark.parametrize("source", ["duckduckgo", "ddgs"])
def test_duckduckgo_is_asked_for_safe_results_unless_the_recipe_says_otherwise(
    wish: str,
    strict: str,
    source: str,
    workspace: Workspace,
    drawn_settings: Settings,
    drawn_standin: Standin,
) -> None:
    gather(recipe_of("shapes", 2, wish, **CLASSES), workspace, [source], drawn_settings)
    asked = [seen.query["p"] for seen in drawn_standin.requests if seen.path == "/i.js"]
    assert set(asked) == {strict}


@pytest.mark.parametrize(("wish", "sensitive"), [("", "false"), ("safe = false", "true")])
def test_openverse_is_asked_for_sensitive_results_by_name(
    wish: str,
    sensitive: str,
    workspace: Workspace,
    drawn_settings: Settings,
    drawn_standin: Standin,
) -> None:
    gather(recipe_of("shapes", 2, wish, **CLASSES), workspace, ["openverse"], drawn_settings)
    searches = [seen.query for seen in drawn_standin.requests if seen.service == "openverse"]
    assert {query["unstable__include_sensitive_results"] for query in searches} == {sensitive}
    assert not any("mature" in query for query in searches)  # whatever its value, it means yes


@pytest.mark.parametrize(("wish", "kept"), [("", 1), ("safe = false", 2)])
def test_what_openverse_marks_all_the_same_is_left_out(
    wish: str,
    kept: int,
    workspace: Workspace,
    drawn_settings: Settings,
    drawn_standin: Standin,
) -> None:
    urls = drawn_standin.urls("round shape", 2)
    rows = [{"url": urls[0], "mature": True}, {"url": urls[1], "mature": False}]
    body = json.dumps({"results": rows, "page_count": 1}).encode()
    drawn_standin.play("openverse", body=body, content_type="application/json")
    recipe = recipe_of("shapes", 3, wish, **CLASSES)
    assert gather(recipe, workspace, ["openverse"], drawn_settings).kept["round"] == kept


@pytest.mark.parametrize(("wish", "asked"), [("", 0), ("safe = false", 1)])
def test_bing_gives_no_safe_results_and_is_left_out_where_they_are_wished(
    wish: str,
    asked: int,
    workspace: Workspace,
    drawn_settings: Settings,
    drawn_standin: Standin,
) -> None:
    drawn_standin.play("duckduckgo", status=403)
    recipe = recipe_of("shapes", 2, wish, **CLASSES)
    summary = gather(recipe, workspace, ["ddgs"], drawn_settings)
    assert bool(drawn_standin.count("bing")) == bool(asked)
    assert (summary.kept["round"] == 2) == bool(asked)
    assert any("bing is left out" in note for note in summary.notes) != bool(asked)
