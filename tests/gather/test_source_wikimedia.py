"""Wikimedia Commons, against each way in which it answers."""

from __future__ import annotations

import pytest

from kezako.gather.settings import Settings
from tests.gather.searching import Ending, assert_ends, search
from tests.standin import Standin


def test_pictures_come_by_rank_with_their_attribution(standin: Standin, settings: Settings) -> None:
    wanted = standin.urls("black bear", 30)
    standin.offer("black bear", wanted)
    found, stopped = search("wikimedia", settings)
    assert stopped is None
    assert [one.url for one in found] == wanted
    assert found[3].creator == "Ann & Bob 3"
    assert found[3].licence == "CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0)"
    assert found[3].page
    assert found[3].width == 960


def test_running_dry_is_told(drawn_standin: Standin, drawn_settings: Settings) -> None:
    drawn_standin.offer("unicorn", drawn_standin.urls("unicorn", 33))
    found, stopped = search("wikimedia", drawn_settings, "unicorn", limit=99)
    assert len(found) == 33
    assert stopped
    assert stopped.kind == "empty"


def error(code: str) -> dict[str, object]:
    return {"body": b'{"error": {"code": "%s"}}' % code.encode()}


@pytest.mark.parametrize(
    "ending",
    [
        (error("maxlag"), "limited", "(maxlag) after 2 pauses", 3),
        (error("ratelimited"), "limited", "(ratelimited) after 2 pauses", 3),
        (error("blocked"), "refused", "refuses our requests (blocked)", 1),
        (error("badvalue"), "broken", "the error 'badvalue'", 1),
        ({"body": b'{"error": 5}'}, "broken", "the error ''", 1),
        ({"status": 429, "retry_after": 1}, "limited", "(429) after 2 pauses", 3),
        ({"status": 403}, "refused", "refuses our requests (403)", 1),
        ({"status": 503}, "limited", "(503) after 2 pauses", 3),
        ({"html": True}, "broken", "no JSON object", 1),
        ({"drop": True}, "broken", "cannot be reached", 2),
        ({"empty": True}, "empty", "(0 found)", 1),
        ({"body": b'{"query": {"pages": [7, {"imageinfo": []}]}}'}, "empty", "(0 found)", 1),
    ],
    ids=lambda ending: ending[2],
)
def test_each_ending_is_told_and_ends(standin: Standin, settings: Settings, ending: Ending) -> None:
    assert_ends("wikimedia", standin, settings, ending)


def test_a_title_of_none(standin: Standin, settings: Settings) -> None:
    standin.play("wikimedia", untitled=True)
    found, _ = search("wikimedia", settings)
    assert len(found) == 30
    assert found[0].title is None
