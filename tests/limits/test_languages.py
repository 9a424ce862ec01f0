"""What the server itself says is in the language of who asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from html import escape

import pytest

from kezako.words import languages, words
from tests.limits.conftest import Host
from tests.limits.guest import Guest, ask
from tests.serve.visitor import Gone, Visitor


@pytest.fixture(scope="module")
def a_full_house(a_host: Host) -> Iterator[str]:
    with a_host("--visitors", "1") as address:
        guest = Guest(address).arrives().connects()
        yield address
        guest.leaves()


@pytest.fixture(scope="module")
def an_open_house(a_host: Host) -> Iterator[str]:
    with a_host() as address:
        yield address


@pytest.mark.parametrize("code", languages())
def test_waiting_and_refusals(code: str, a_full_house: str) -> None:
    say = words(code)
    header = f"{code}-XX, en;q=0.3"
    waiting = [ask(a_full_house, Accept_Language=header) for _ in range(3)]
    missing = ask(a_full_house, "nowhere", Accept_Language=header)
    model = ask(a_full_house, "?model=x<b>", Accept_Language=header)
    assert [page.status for page in (*waiting, missing, model)] == [503, 503, 503, 404, 404]
    for page, key, values in (
        (waiting[0], "places_taken", {}),
        (missing, "request_nothing", {}),
        (missing, "open_page", {}),
        (model, "no_classifier", {"name": "'x<b>'"}),
    ):
        assert f'<html lang="{code}"' in page.text
        assert escape(say(key, **values)) in page.text
    others = {escape(say("queue_next")), escape(say("queue_one"))}
    others |= {escape(say("queue_many", count=count)) for count in range(2, 40)}
    assert all(any(other in page.text for other in others) for page in waiting)


def test_a_header_that_is_no_language_is_answered_in_english(an_open_house: str) -> None:
    for header in ("<script>", "..", "de;q=", "\xff" * 400, "de" * 3000):
        page = ask(an_open_house, "nowhere", Accept_Language=header)
        assert (page.status, '<html lang="en"' in page.text) == (404, True)
        assert "There is nothing here." in page.text


def test_programs_are_answered_in_english(an_open_house: str) -> None:
    answer = ask(an_open_house, "other/api/nothing", Accept_Language="de")
    assert json.loads(answer.text) == {"error": words("en")("request_nothing")}


async def dismissed(address: str, code: str) -> str:
    async with Visitor(address, {"Accept-Language": code}) as visitor:
        await visitor.sends("execute_request", {"code": "1"})
        with pytest.raises(Gone) as gone:
            await visitor.until(lambda: False, "the end")
        return str(gone.value)


@pytest.mark.parametrize("code", ["en", "ja", "pl"])
def test_why_a_visit_ended(code: str, an_open_house: str) -> None:
    said = asyncio.run(dismissed(an_open_house, code))
    assert said == f"4403 {words(code)('ended_refused')}"
