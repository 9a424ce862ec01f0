"""Every odd or broken file gets a label or a sentence from the page; one kernel takes them all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kezako.words import words
from tests.api.odd_pictures import Odd, odd_pictures
from tests.page.photos import drawn
from tests.serve.visitor import Visitor
from tests.servers import serving

SORRY = words()("sorry")


@pytest.fixture(scope="module")
def a_page(a_workspace: Path) -> Iterator[str]:
    """`kezako serve`, ready."""
    for address in serving(
        ["-m", "kezako", "serve", "colours", "--no-browser", "--port", "{port}"],
        a_workspace, "healthz", KEZAKO_MESSAGES_AT_ONCE="100000",  # faster than any person
    ):  # fmt: skip
        asyncio.run(_warm(address))
        yield address


async def _warm(address: str) -> None:
    """The page once the server has made it ready."""
    for _ in range(600):
        try:
            visitor = await Visitor(address).opens()
        except Exception:
            await asyncio.sleep(0.1)
        else:
            await visitor.connects()
            visitor.disappears()
            return
    raise AssertionError("The page did not become ready.")


class Curious(Visitor):
    """One who sends anything, and notes whatever is no answer."""

    def __init__(self, address: str):
        super().__init__(address)
        self.leaks: list[str] = []

    async def hears(self) -> dict[str, Any]:
        message = await super().hears()
        if message["header"]["msg_type"] in ("error", "stream") or "Traceback" in str(message):
            self.leaks.append(str(message["content"]))
        return message

    async def tries(self, name: str, content: bytes) -> tuple[str, bool]:
        """What the page says of a file, and whether that is an answer."""
        said = await self.classifies(name, content)
        stage = self.states[self.find("VBoxModel", has_class="kezako-choice")]
        return said, "kezako-is-answer" in stage["_dom_classes"]


async def all_of_them(address: str, odds: Iterable[Odd]) -> list[str]:
    """Send each, one after the other, to one kernel; what was not as it should be."""
    troubles = []
    async with Curious(address) as visitor:
        for odd in odds:
            said, answered = await visitor.tries(odd.name, odd.data)
            known = odd.answered is None or odd.answered == answered
            named = answered or said.startswith(odd.name[:10])
            if not known or not named or SORRY in said or len(said) < 5:
                troubles.append(f"{odd.name}: {said!r}")
        assert visitor.leaks == []
        assert await visitor.tries("whole.jpg", drawn()) == ("This is red.", True)
        assert visitor.html.count(visitor.kernel) == 1
    return troubles


def test_every_odd_picture_gets_a_label_or_a_sentence(a_page: str) -> None:
    odds = list(odd_pictures())
    assert len(odds) >= 300
    assert asyncio.run(all_of_them(a_page, odds)) == []
    asyncio.run(_warm(a_page))  # and the next visitor is served
