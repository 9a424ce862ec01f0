"""A visitor works widgets, and can do nothing else with a kernel."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.serve.served import Served, lives
from tests.serve.test_snapshot_visitors_apart import says
from tests.serve.visitor import Visitor
from tests.servers import until


def test_code_from_a_visitor_does_not_run(an_echo: Served, tmp_path: Path) -> None:
    async def tries() -> list[str]:
        async with Visitor(an_echo.address) as visitor:
            code = f"open({str(tmp_path / 'harm')!r}, 'w'); said.value = 'harm'"
            content = {"code": code, "silent": False, "store_history": False}
            for channel in ("shell", "control"):
                await visitor.sends("execute_request", content, channel=channel)
            return await says(visitor, "still here")

    assert asyncio.run(tries())[0] == "still here"
    assert not list(tmp_path.iterdir())


def test_a_kernel_that_is_asked_to_ends_at_once(an_echo: Served) -> None:
    async def asks() -> int:
        async with Visitor(an_echo.address) as visitor:
            process = int((await says(visitor, "last words"))[3])
            assert lives(process)
            await visitor.sends("shutdown_request", {"restart": False}, channel="control")
            await asyncio.to_thread(until, lambda: not lives(process), "It lives on.")
            # A dead kernel is not started again under the same page: the page is told.
            await visitor.until(lambda: "dead" in visitor.statuses, "word of its end")
            return process

    process = asyncio.run(asks())
    an_echo.wait_until(lambda: process not in an_echo.forks(), "It was not reaped")
