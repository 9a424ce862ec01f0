"""Few requests at one host, a bounded number in all, and a site that asks to wait is waited for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from kezako.gather.check import Reject
from kezako.gather.fetch import Fetcher, Limits
from kezako.gather.settings import Settings
from kezako.gather.sniff import forbids_ai
from tests.standin import Standin


async def _fetch_all(settings: Settings, limits: Limits, urls: list[str]) -> list[bytes | Reject]:
    async def as_it_is(data: bytes) -> bytes:
        return data

    async with Fetcher(settings, limits=limits) as fetcher:
        return await asyncio.gather(*(fetcher.fetch(url, as_it_is) for url in urls))


def test_at_once_is_bounded_for_a_host_and_for_all(standin: Standin, settings: Settings) -> None:
    standin.play("pictures", latency=0.2)
    limits = Limits(at_once=10, per_host=3)
    found = asyncio.run(_fetch_all(settings, limits, standin.urls("drawn thing", 80)))
    assert all(isinstance(each, bytes) for each in found)
    hosts = {seen.host for seen in standin.requests}
    assert len(hosts) > 3
    assert max(standin.most_at_once(host) for host in hosts) == 3
    assert standin.most_at_once("pictures") == 10


def test_retry_after_is_waited_for(standin: Standin, settings: Settings) -> None:
    url = standin.trouble("once-429")
    (found,) = asyncio.run(_fetch_all(replace(settings, pause=1.0), Limits(waits=(0.0,)), [url]))
    first, second = standin.requests
    assert isinstance(found, bytes)
    assert second.at - first.at >= 1.0


def test_a_site_that_asks_for_hours_is_left(standin: Standin, settings: Settings) -> None:
    standin.play("pictures", status=429, retry_after=7200)
    (found,) = asyncio.run(_fetch_all(settings, Limits(), standin.urls("x", 1)))
    assert isinstance(found, Reject)
    assert found.reason == "limited by the site: 429, asks to wait 7200 seconds"
    assert len(standin.requests) == 1


def test_noai_counts_where_it_is_meant_for_us() -> None:
    assert forbids_ai(["noindex, NoAI"]) == "noai"
    assert forbids_ai(["noindex", "noimageai"]) == "noimageai"
    assert forbids_ai(["kezako: noai"]) == "noai"
    assert forbids_ai(["*: noai"]) == "noai"
    assert forbids_ai(["otherbot: noindex, noai"]) is None
    assert forbids_ai(["noindex, nofollow", "none", ""]) is None


@pytest.mark.parametrize(
    "header",
    [
        "max-image-preview:large, noai",
        "max-image-preview: large, max-snippet:-1, max-video-preview:-1, noimageai",
        "unavailable_after: 25 Jun 2030 15:00:00 PST, noai",
        "unavailable_after: Tuesday, 25 Jun 2030 15:00:00 PST, noai",
        "otherbot: noindex, kezako: noai",
        "otherbot: noindex, *: noai",
        "kezako: noindex, noai",
        "kezako/1.0: noai",
        "noindex; noai",
        "noai noimageai",
        "NOAI,NOIMAGEAI",
        "noai:",
        ": noai",
    ],
)
def test_noai_is_heeded_beside_other_directives(header: str) -> None:
    assert forbids_ai([header]) in ("noai", "noimageai")


@pytest.mark.parametrize(
    "header",
    [
        "otherbot: max-image-preview:large, noai",
        "otherbot: noindex, max-snippet: 20, noai",
        "kezako: noindex, otherbot: noai",
        "max-image-preview:large, noindex",
        "noaint, nonoai",
        "unavailable_after: 25 Jun 2030 15:00:00 PST",
    ],
)
def test_words_for_others_are_not_ours(header: str) -> None:
    assert forbids_ai([header]) is None


def test_noai_of_an_address_that_leads_on_is_heeded(standin: Standin, settings: Settings) -> None:
    to, headers = standin.urls("x", 1)[0], {"X-Robots-Tag": "max-image-preview:large, noai"}
    standin.play("artist.test", redirect=to, headers=headers)
    (found,) = asyncio.run(_fetch_all(settings, Limits(), ["https://artist.test/1.jpg"]))
    assert isinstance(found, Reject)
    assert found.reason == "no AI use: the site says noai"
    assert standin.count("artist.test") == len(standin.requests) == 1
