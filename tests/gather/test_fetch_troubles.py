"""Each way in which an address goes wrong is one reason; none is left out, none hangs."""

from __future__ import annotations

import asyncio

import pytest

from kezako.gather.check import Reject
from kezako.gather.fetch import Fetcher, Limits
from kezako.gather.settings import Settings
from tests.standin import TROUBLES, Standin

LIMITS = Limits(max_bytes=2 * 2**20, silence=8.0, whole=16.0)
REASONS = {
    "status-404": "not found: 404",
    "status-403": "refused by the site: 403",
    "status-410": "not found: 410",
    "status-500": "server error: 500",
    "status-503": "server error: 503",
    "status-429": "limited by the site: 429, asks to wait 1 seconds",
    "hang": "no answer: silent for too long",
    "html": "not a picture: text/html; charset=utf-8",
    "html-typed-jpeg": "not a picture: image/jpeg",
    "text": "not a picture: text/plain",
    "empty": "not a picture: image/jpeg",
    "svg": "not a picture: image/svg+xml",
    "endless": "too large: more than 2 MB",
    "huge-length": "too large: more than 2 MB",
    "drip": "too slow: not whole after 16 seconds",
    "drop": "cut off",
    "drop-midway": "cut off",
    "noai": "no AI use: the site says noai",
    "noimageai": "no AI use: the site says noimageai",
    "redirect-loop": "redirects: more than 5",
    "redirect-nowhere": "unexpected answer: 302",
    "redirect-metadata": "private address: 169.254.169.254 is not in the public internet",
    "redirect-loopback": "private address: 127.0.0.1 is not in the public internet",
    "redirect-private": "private address: 192.168.0.1 is not in the public internet",
    "redirect-ipv6": "private address: ::1 is not in the public internet",
    "redirect-file": "no address: file is not fetched",
}
FETCHED = {
    "once-500", "once-429", "redirect-good", "octet-stream", "wrong-type", "truncated", "bomb",
    "gif", "tiny", "blank",
}  # fmt: skip


async def _fetch(settings: Settings, *urls: str, **options: bool) -> list[bytes | Reject]:
    async def as_it_is(data: bytes) -> bytes:
        return data

    async with Fetcher(settings, limits=LIMITS, **options) as fetcher:
        return await asyncio.gather(*(fetcher.fetch(url, as_it_is) for url in urls))


@pytest.fixture(scope="module")
def outcomes(the_web: Standin) -> dict[str, bytes | Reject]:
    """What becomes of every kind of trouble, all asked for at once."""
    the_web.reset()
    urls = [the_web.trouble(kind) for kind in TROUBLES]
    found = asyncio.run(_fetch(the_web.settings(), *urls))
    return dict(zip(TROUBLES, found, strict=True))


def test_every_kind_of_trouble_is_expected() -> None:
    assert set(TROUBLES) == set(REASONS) | FETCHED


@pytest.mark.parametrize("kind", REASONS)
def test_a_failure_has_its_reason(outcomes: dict[str, bytes | Reject], kind: str) -> None:
    outcome = outcomes[kind]
    assert isinstance(outcome, Reject)
    assert outcome.reason.startswith(REASONS[kind])


@pytest.mark.parametrize("kind", sorted(FETCHED))
def test_a_picture_is_fetched_whatever_is_said_of_it(
    outcomes: dict[str, bytes | Reject], kind: str
) -> None:
    assert isinstance(outcomes[kind], bytes)


def test_what_may_pass_is_tried_again_and_what_will_not_is_not(
    outcomes: dict[str, bytes | Reject], the_web: Standin
) -> None:
    asked = {kind: the_web.count("trouble.test", f"/trouble/{kind}/") for kind in TROUBLES}
    assert {kind: asked[kind] for kind in ("once-500", "status-500", "status-503", "drop")} == {
        "once-500": 2, "status-500": 2, "status-503": 2, "drop": 2,
    }  # fmt: skip
    assert {asked[kind] for kind in ("status-404", "status-403", "html", "noai", "endless")} == {1}


def test_a_recipe_may_take_what_the_site_says_of_ai_lightly(
    standin: Standin, settings: Settings
) -> None:
    url = standin.trouble("noai")
    assert isinstance(asyncio.run(_fetch(settings, url, respect_noai=False))[0], bytes)


@pytest.mark.parametrize(
    "url", ["ftp://a.test/x.jpg", "data:image/png;base64,AAAA", "javascript:x", "", "http://[::1"]
)
def test_only_web_addresses_are_fetched(settings: Settings, url: str) -> None:
    (outcome,) = asyncio.run(_fetch(settings, url))
    assert isinstance(outcome, Reject)
    assert outcome.reason.startswith("no address")
