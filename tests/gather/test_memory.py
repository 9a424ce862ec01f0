"""Memory stays flat, whatever the number of addresses."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kezako.gather.fetch import Fetcher, Limits
from kezako.gather.settings import Settings
from kezako.workspace import Workspace
from tests.gather.saved import jpeg, write_recipe
from tests.needs import only_where
from tests.standin import Standin

KB, MB = 2**10, 2**20
HEAVY = 400 * KB  # of one picture
FEW, MANY = 100, 600  # addresses: were all held, the second would take 200 MB more
ALLOWED = 40 * MB


def test_what_is_fetched_waits_for_what_is_checked(standin: Standin, settings: Settings) -> None:
    standin.play("pictures", body=jpeg() + bytes(HEAVY), content_type="image/jpeg")
    limits = Limits(memory=4 * MB)
    held = most = 0

    async def check_slowly(data: bytes) -> None:
        nonlocal held, most
        held += len(data)
        most = max(most, held)
        await asyncio.sleep(0.02)
        held -= len(data)

    async def fetch_all() -> None:
        async with Fetcher(settings, limits=limits) as fetcher:
            urls = standin.urls("thing", 60)
            await asyncio.gather(*(fetcher.fetch(url, check_slowly) for url in urls))

    asyncio.run(fetch_all())
    assert 2 * MB < most <= limits.memory


@pytest.mark.slow
@only_where(sys.platform == "linux", "the peak memory as it gives it")
def test_six_times_the_addresses_take_no_more_memory(tmp_path: Path, standin: Standin) -> None:
    standin.play("pictures", body=jpeg() + bytes(HEAVY), content_type="image/jpeg")
    few, many = (_peak(tmp_path / str(count), standin, count) for count in (FEW, MANY))
    assert standin.count("pictures") == FEW + MANY
    assert many - few < ALLOWED


def _peak(root: Path, standin: Standin, addresses: int) -> int:
    """Bytes of memory that gathering so many took at most."""
    write_recipe(Workspace(root), "shapes", addresses, "round", "square")
    lists = root / "data" / "shapes" / "urls"
    lists.mkdir()
    urls = standin.urls("thing", addresses, direct=True)
    (lists / "round.txt").write_text("\n".join(urls), encoding="utf-8")
    (lists / "square.txt").write_text("", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "kezako", "gather", "shapes", "--source", "urls"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **standin.environment(direct=True), "KEZAKO_HOME": str(root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss * KB
