"""The unmodified ddgs library, against each way in which its two backends answer."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from kezako.gather.settings import Settings
from tests.gather.searching import search
from tests.standin import Standin


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Bing is asked only where unsafe pictures may come."""
    return replace(settings, safe=False)


def test_goes_on_beyond_the_librarys_first_page(
    drawn_standin: Standin, drawn_settings: Settings
) -> None:
    found, stopped = search("ddgs", drawn_settings, "unicorn", limit=115)
    assert stopped is None
    assert [one.url for one in found] == drawn_standin.urls("unicorn", 115)
    assert drawn_standin.count("bing") == 0


@pytest.mark.parametrize("seed", range(4))
def test_duckduckgo_comes_before_bing(standin: Standin, settings: Settings, seed: int) -> None:
    random.seed(seed)  # left alone, the library shuffles its backends
    search("ddgs", settings, limit=5)
    assert standin.count("duckduckgo") == 2
    assert standin.count("bing") == 0


def test_bing_takes_over_page_by_page(standin: Standin, settings: Settings) -> None:
    standin.play("duckduckgo", status=202)
    found, stopped = search("ddgs", settings, limit=80)
    assert stopped is None
    assert [one.url for one in found] == standin.urls("black bear", 80)
    assert found[0].title == "black bear no. 0"
    assert found[0].width == 512
    assert standin.count("bing") == 3  # 35 a page


def test_a_picture_without_a_title_does_not_lose_its_page(
    standin: Standin, settings: Settings
) -> None:
    standin.play("duckduckgo", untitled=True)
    found, stopped = search("ddgs", settings, limit=90)
    assert len(found) == 90
    assert stopped is None
    assert found[0].title is None


def test_without_titles_at_bing(standin: Standin, settings: Settings) -> None:
    standin.play("duckduckgo", empty=True)
    standin.play("bing", untitled=True)
    found, _ = search("ddgs", settings)
    assert len(found) == 30
    assert {one.title for one in found} == {None}


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ({"status": 202}, "limited", "bing limits requests (202)"),
        ({"status": 429}, "limited", "duckduckgo limits requests (429)"),
        ({"status": 403}, "refused", "bing refuses our requests (403)"),
        ({"status": 500}, "broken", "bing answered 500"),
        ({"html": True}, "broken", "duckduckgo cannot be read"),
        ({"drop": True}, "broken", "bing cannot be reached"),
        ({"empty": True}, "empty", "duckduckgo has no more pictures; bing has no more pictures"),
    ],
)
def test_each_ending_is_told_and_ends(
    standin: Standin, settings: Settings, how: dict[str, object], kind: str, words: str
) -> None:
    standin.play("duckduckgo", **how)
    standin.play("bing", **how)
    found, stopped = search("ddgs", settings)
    assert not found
    assert stopped
    assert stopped.kind == kind
    assert words in str(stopped)
    assert str(stopped).startswith('ddgs for "black bear"')
    assert standin.count() <= 4


def test_a_limit_is_told_where_the_other_backend_is_only_empty(
    standin: Standin, settings: Settings
) -> None:
    standin.play("duckduckgo", status=429)
    standin.play("bing", empty=True)
    _, stopped = search("ddgs", settings)
    assert stopped
    assert stopped.kind == "limited"


def test_answers_that_never_come(standin: Standin, settings: Settings) -> None:
    standin.play("duckduckgo", hang=True)
    standin.play("bing", hang=True)
    _, stopped = search("ddgs", replace(settings, timeout=1))
    assert stopped
    assert stopped.kind == "broken"
    assert "did not answer in time" in str(stopped)


def test_a_site_that_repeats_its_page_for_ever_ends(standin: Standin, settings: Settings) -> None:
    standin.play("duckduckgo", empty=True)
    one_page = b"".join(
        b"<div><div class='imgpt'><a class='iusc' m='{\"murl\": \"https://p.test/%d.jpg\"}'></a>"
        b"</div><div class='infopt'></div></div>" % number
        for number in range(3)
    )
    standin.play("bing", body=one_page)
    found, stopped = search("ddgs", settings)
    assert len(found) == 3
    assert stopped
    assert stopped.kind == "empty"
    assert standin.count("bing") == 2
