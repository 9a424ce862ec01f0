"""The unmodified duckduckgo_search library, against each way in which DuckDuckGo answers."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import pytest

from kezako.gather.settings import Settings
from tests.gather.searching import search
from tests.standin import Standin


def test_gives_what_was_asked_for(standin: Standin, settings: Settings) -> None:
    found, stopped = search("duckduckgo", settings, limit=30)
    assert stopped is None
    assert [one.url for one in found] == standin.urls("black bear", 30)
    assert found[0].title == "black bear no. 0"
    assert found[0].page
    assert found[0].width == 512


def test_a_search_that_runs_dry_says_so_once(
    drawn_standin: Standin, drawn_settings: Settings
) -> None:
    found, stopped = search("duckduckgo", drawn_settings, "unicorn", limit=300)
    assert len({one.url for one in found}) == len(found) == 120
    assert stopped
    assert stopped.kind == "empty"
    assert str(stopped) == 'duckduckgo has no more pictures for "unicorn" (120 found).'


@pytest.mark.parametrize("status", [202, 429])
def test_a_limit_is_waited_out_twice_and_then_told(
    standin: Standin, settings: Settings, said: list[str], status: int
) -> None:
    standin.play("duckduckgo", status=status)
    found, stopped = search("duckduckgo", settings)
    assert not found
    assert stopped
    assert stopped.kind == "limited"
    assert f"({status}) after 2 pauses" in str(stopped)
    assert said == [
        f"duckduckgo limits requests ({status}): waiting 5 s (pause 1 of 2)",
        f"duckduckgo limits requests ({status}): waiting 20 s (pause 2 of 2)",
    ]
    assert standin.count("duckduckgo") == 3


def test_a_limit_that_passes_loses_nothing(standin: Standin, settings: Settings) -> None:
    standin.play("duckduckgo", path="/i.js", status=202, times=1)
    found, stopped = search("duckduckgo", settings)
    assert len(found) == 30
    assert stopped is None


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ({"status": 403}, "refused", "duckduckgo refuses our requests (403)"),
        ({"status": 301}, "broken", "duckduckgo answered 301"),
        ({"status": 500}, "broken", "duckduckgo answered with an error of its own"),
        ({"html": True}, "broken", "in a form that the library cannot read"),
        ({"html": True, "path": "/i.js"}, "broken", "in a form that the library cannot read"),
        ({"drop": True}, "broken", "duckduckgo cannot be reached"),
        ({"empty": True}, "empty", 'no more pictures for "black bear" (0 found)'),
    ],
)
def test_each_ending_is_told_and_ends(
    standin: Standin, settings: Settings, how: dict[str, object], kind: str, words: str
) -> None:
    standin.play("duckduckgo", **how)
    found, stopped = search("duckduckgo", settings)
    assert not found
    assert stopped
    assert stopped.kind == kind
    assert words in str(stopped)
    assert standin.count("duckduckgo") <= 2


def test_an_answer_that_never_comes(standin: Standin, settings: Settings) -> None:
    standin.play("duckduckgo", hang=True)
    _, stopped = search("duckduckgo", replace(settings, timeout=1))
    assert stopped
    assert stopped.kind == "broken"
    assert "did not answer in time" in str(stopped)


def test_the_first_page_is_kept_when_the_second_fails(
    drawn_standin: Standin, drawn_settings: Settings
) -> None:
    drawn_standin.play("duckduckgo", path="/i.js", after=2, status=403)
    found, stopped = search("duckduckgo", drawn_settings, "unicorn", limit=110)
    assert len(found) == 100
    assert stopped
    assert stopped.kind == "refused"


def test_pictures_without_a_title_are_pictures(standin: Standin, settings: Settings) -> None:
    standin.play("duckduckgo", untitled=True)
    found, _ = search("duckduckgo", settings)
    assert len(found) == 30
    assert found[0].title is None


def test_addresses_that_are_none_are_left_out(standin: Standin, settings: Settings) -> None:
    hostile = ["file:///etc/passwd", "javascript:alert(1)", "https:///x.jpg", "http://[::1", "\x00"]
    standin.offer("trap", [*hostile, "https://pictures-0.test/a.jpg"])
    found, _ = search("duckduckgo", settings, "trap")
    assert [one.url for one in found] == ["https://pictures-0.test/a.jpg"]


def test_rows_that_lack_a_key(standin: Standin, settings: Settings) -> None:
    body = json.dumps({"results": [{"image": "https://pictures-0.test/a.jpg"}]}).encode()
    standin.play("duckduckgo", path="/i.js", body=body)
    _, stopped = search("duckduckgo", settings)
    assert stopped
    assert stopped.kind == "broken"
    assert "KeyError" in str(stopped)


def test_the_library_changes_no_warnings(standin: Standin, settings: Settings) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        before = list(warnings.filters)
        search("duckduckgo", settings, limit=1)
        assert warnings.filters == before
    assert not [one for one in caught if "renamed" in str(one.message)]
