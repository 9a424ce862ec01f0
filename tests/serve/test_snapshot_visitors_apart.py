"""Visitors share what was loaded, and nothing of what they do."""

from __future__ import annotations

import asyncio

from tests.serve.served import Served
from tests.serve.visitor import Visitor


async def says(visitor: Visitor, text: str) -> list[str]:
    """Type `text` and press Say: name, query, random number and process of this visitor."""
    label = visitor.find("LabelModel")
    await visitor.sets(visitor.find("TextModel"), {"value": text})
    await visitor.presses("Say")
    await visitor.until(lambda: text in visitor.states[label]["value"], f"the page to say {text}")
    return str(visitor.states[label]["value"]).split("|")


async def ten_at_once(address: str) -> list[list[str]]:
    visitors = [Visitor(f"{address}?number={number}") for number in range(10)]
    await asyncio.gather(*(visitor.opens() for visitor in visitors))
    await asyncio.gather(*(visitor.connects() for visitor in visitors))
    states = [visitor.states[visitor.find("TextModel")]["value"] for visitor in visitors]
    assert states == [""] * 10
    answers = await asyncio.gather(
        *(says(visitor, f"visitor {number}") for number, visitor in enumerate(visitors))
    )
    for number, visitor in enumerate(visitors):
        text = visitor.states[visitor.find("TextModel")]["value"]
        assert text in ("", f"visitor {number}")  # nothing that another typed
        visitor.disappears()
    return answers


def test_each_visitor_has_a_kernel_of_their_own(an_echo: Served) -> None:
    answers = asyncio.run(ten_at_once(an_echo.address))
    names, queries, numbers, processes = zip(*answers, strict=True)
    assert names == tuple(f"visitor {number}" for number in range(10))
    assert queries == tuple(f"number={number}" for number in range(10))
    assert len(set(numbers)) == 10  # random generators are seeded anew
    assert len(set(processes)) == 10
    assert set(map(int, processes)) <= set(an_echo.forks())


def test_the_page_is_the_same_but_for_the_kernel(an_echo: Served) -> None:
    async def two() -> tuple[Visitor, Visitor]:
        first, second = Visitor(an_echo.address), Visitor(an_echo.address)
        await asyncio.gather(first.opens(), second.opens())
        return first, second

    first, second = asyncio.run(two())
    assert first.kernel != second.kernel
    assert first.html.replace(first.kernel, "") == second.html.replace(second.kernel, "")
