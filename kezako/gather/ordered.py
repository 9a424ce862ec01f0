"""Run work concurrently, yield results in order, and hold only a few of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def ordered_map(
    items: Iterable[T],  # taken lazily
    work: Callable[[T], Awaitable[R]],
    ahead: Callable[[], int],  # how many may run at once, asked before each item
) -> AsyncGenerator[tuple[T, R], None]:
    """Each item with its result, in the order of `items`; closing it cancels what still runs.

    Results are used in order so that a gathering that was killed and resumed ends with the same
    pictures as one that was not.
    """
    under_way: deque[tuple[T, asyncio.Future[R]]] = deque()
    try:
        for item in items:
            while len(under_way) >= max(1, ahead()):
                yield under_way[0][0], await under_way[0][1]
                under_way.popleft()
            under_way.append((item, asyncio.ensure_future(work(item))))
        while under_way:
            yield under_way[0][0], await under_way[0][1]
            under_way.popleft()
    finally:
        for _, task in under_way:
            task.cancel()
        await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)
