"""Where an engine classifies, it is asked for its cards beside the page, which does not wait."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kezako.model import remote
from kezako.serve.cards import Cards
from tests.limits.conftest import Host, a_host, a_small_home  # noqa: F401
from tests.servers import DEADLINE


def test_an_engines_card_comes_beside_the_page(a_host: Host, tmp_path: Path) -> None:  # noqa: F811
    async def ask(engine: str, name: str) -> list[str]:
        cards = Cards(tmp_path, lambda: remote.names(engine), engine)
        assert cards.card(name) is None, "nothing is known yet"
        async with asyncio.timeout(DEADLINE):
            while not (card := cards.card(name)):
                await asyncio.sleep(0.05)
        assert cards.card(name) is card
        return [card.title, *card.labels]

    with a_host() as address:
        known = asyncio.run(ask(address, "colours"))
        assert known == ["Which of colours?", "red", "green", "blue"]


def test_an_engine_that_is_away_says_nothing(tmp_path: Path) -> None:
    async def ask() -> None:
        cards = Cards(tmp_path, lambda: ["colours"], "http://127.0.0.1:9/")
        for _ in range(3):
            assert cards.card("colours") is None
            await asyncio.sleep(0.5)
        assert cards.cover("colours") is None

    asyncio.run(ask())
