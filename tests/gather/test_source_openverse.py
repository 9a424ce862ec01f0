"""Openverse, against each way in which it answers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kezako.gather.settings import Settings
from kezako.gather.sources import Found
from tests.gather.searching import Ending, assert_ends, search
from tests.standin import Standin


def test_every_picture_has_licence_creator_and_page(standin: Standin, settings: Settings) -> None:
    found, stopped = search("openverse", settings, limit=45)
    assert len(found) == 45
    assert stopped is None
    assert found[0].licence == "CC BY 2.0 (https://creativecommons.org/licenses/0/)"
    assert found[2].licence == "CC0 1.0 (https://creativecommons.org/licenses/2/)"
    assert all(one.creator and one.page for one in found)
    assert standin.count("openverse") == 3  # pages of 20, and no more of them than needed


def test_goes_no_deeper_than_is_allowed_without_a_key(
    drawn_standin: Standin, drawn_settings: Settings
) -> None:
    drawn_standin.offer("many", drawn_standin.urls("many", 600))
    found, stopped = search("openverse", drawn_settings, "many", limit=600)
    assert len(found) == 240
    assert stopped
    assert stopped.kind == "empty"
    assert "(240 found)" in str(stopped)


@pytest.mark.parametrize("retry_after", [7, 42])
def test_retry_after_is_honoured_and_said(
    standin: Standin, settings: Settings, said: list[str], retry_after: int
) -> None:
    standin.play("openverse", status=429, retry_after=retry_after, times=1)
    found, stopped = search("openverse", settings)
    assert len(found) == 30
    assert stopped is None
    assert said == [f"openverse limits requests (429): waiting {retry_after} s (pause 1 of 2)"]


def test_a_very_long_retry_after_is_not_sat_out(
    standin: Standin, settings: Settings, said: list[str]
) -> None:
    standin.play("openverse", status=429, retry_after=86_400)
    _, stopped = search("openverse", settings)
    assert stopped
    assert stopped.kind == "limited"
    assert "in 24 hours" in str(stopped)
    assert not said
    assert standin.count("openverse") == 1


@pytest.mark.parametrize(
    "ending",
    [
        ({"status": 429}, "limited", "after 2 pauses", 3),
        ({"status": 401}, "refused", "refuses our requests (401)", 1),
        ({"status": 403}, "refused", "refuses our requests (403)", 1),
        ({"status": 404}, "broken", "answered 404 Not Found", 1),
        ({"status": 500}, "broken", "answered 500 Internal Server Error", 2),
        ({"redirect": "http://169.254.169.254/"}, "broken", "answered 302 Found", 1),
        ({"html": True}, "broken", "something that is no JSON object", 1),
        ({"body": b"[]"}, "broken", "something that is no JSON object", 1),
        ({"body": b'{"results": 7}'}, "broken", "without a list of results", 1),
        ({"body": b"[" * 100_000}, "broken", "something that is no JSON object", 1),
        ({"endless": True}, "broken", "more than 4 MB", 1),
        ({"drop": True}, "broken", "cannot be reached", 2),
        ({"empty": True}, "empty", "(0 found)", 1),
    ],
    ids=lambda ending: ending[2],
)
def test_each_ending_is_told_and_ends(standin: Standin, settings: Settings, ending: Ending) -> None:
    assert_ends("openverse", standin, settings, ending)


def test_a_hiccup_passes(standin: Standin, settings: Settings) -> None:
    standin.play("openverse", status=500, times=1)
    assert len(search("openverse", settings)[0]) == 30


def test_what_was_found_before_a_failure_is_kept(standin: Standin, settings: Settings) -> None:
    standin.play("openverse", status=403, after=1)
    found, stopped = search("openverse", settings)
    assert len(found) == 20
    assert stopped
    assert stopped.kind == "refused"


def test_answers_that_never_come(standin: Standin, settings: Settings) -> None:
    standin.play("openverse", hang=True)
    _, stopped = search("openverse", replace(settings, timeout=0.2))
    assert stopped
    assert stopped.kind == "broken"
    assert "cannot be reached" in str(stopped)


def test_values_of_any_type_are_taken_for_what_they_are(
    standin: Standin, settings: Settings
) -> None:
    rows: list[object] = [
        None,
        "text",
        {"url": 5},
        {"url": "https://p.test/a.jpg", "title": ["x"], "width": "wide", "license": {}},
        {"url": "https://p.test/b.jpg", "title": "a\x1b[31m\nb" + "c" * 999, "width": -4},
    ]
    body = json.dumps({"results": rows, "page_count": 1}).encode()
    standin.play("openverse", body=body)
    found, _ = search("openverse", settings)
    assert found[0] == Found("https://p.test/a.jpg")
    assert found[1].title == ("a [31m b" + "c" * 999)[:300]
    assert found[1].width is None


def test_only_photographs_are_asked_for_unless_told_otherwise(
    standin: Standin, settings: Settings
) -> None:
    search("openverse", settings, limit=1)
    search("openverse", replace(settings, photos_only=False), limit=1)
    asked = [seen.query.get("category") for seen in standin.requests]
    assert asked == ["photograph", None]
