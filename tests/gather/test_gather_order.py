"""Work goes on ahead, results come in order, and little is held."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from kezako.gather.ordered import ordered_map


def test_results_come_in_order_and_only_so_many_are_under_way() -> None:
    open_now = most = 0

    async def work(number: int) -> int:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        for _ in range(10 - number % 10):  # later ones are often done earlier
            await asyncio.sleep(0)
        open_now -= 1
        return number * number

    async def all_of_them() -> list[tuple[int, int]]:
        return [pair async for pair in ordered_map(range(200), work, lambda: 8)]

    assert asyncio.run(all_of_them()) == [(n, n * n) for n in range(200)]
    assert most == 8


def test_items_are_taken_lazily_and_the_rest_is_cancelled() -> None:
    taken: list[int] = []
    cancelled: list[int] = []

    def endless() -> object:
        number = 0
        while True:
            taken.append(number)
            yield number
            number += 1

    async def work(number: int) -> int:
        try:
            if number > 2:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    async def three_of_them() -> list[int]:
        found = []
        async with aclosing(ordered_map(endless(), work, lambda: 5)) as results:  # type: ignore[arg-type]
            async for _, result in results:
                found.append(result)
                if len(found) == 3:
                    break
        return found

    assert asyncio.run(three_of_them()) == [0, 1, 2]
    assert len(taken) <= 9
    assert cancelled
    assert set(cancelled) <= set(taken)


def test_an_error_in_the_work_is_the_callers() -> None:
    async def work(number: int) -> int:
        return 1 // (number - 3)

    async def all_of_them() -> None:
        async for _ in ordered_map(range(9), work, lambda: 4):
            pass

    with pytest.raises(ZeroDivisionError):
        asyncio.run(all_of_them())
