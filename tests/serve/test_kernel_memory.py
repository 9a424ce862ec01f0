"""What a further visitor costs, with the classifier that comes with it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.serve.served import served
from tests.serve.visitor import Visitor
from voila_snapshot.fork import memory

MOST = 16 * 1024 * 1024  # bytes of a visitor's own
THREADS, DESCRIPTORS = 4, 40


@pytest.fixture
def a_workspace(tmp_path: Path, the_repository: Path) -> Path:
    shutil.copytree(the_repository / "models" / "bears", tmp_path / "models" / "bears")
    shutil.copy(the_repository / "notebooks" / "app.ipynb", tmp_path)
    return tmp_path


def test_a_visitor_who_classifies_costs_little(
    a_workspace: Path, some_photos: dict[str, list[Path]]
) -> None:
    async def three_visits() -> None:
        visitors = [Visitor(server.address) for _ in range(3)]
        for visitor in visitors:
            await visitor.opens()
            await visitor.connects()
            for path in next(iter(some_photos.values()))[:2]:
                assert await visitor.classifies(path.name, path.read_bytes())
        server.wait_until(lambda: len(server.forks()) == 4, "Three visitors and a spare")
        # Memory is given back once a visitor has been quiet for a moment.
        server.wait_until(lambda: _largest(server.forks()) <= MOST, "Kernels stay large")
        for pid in server.forks():
            assert len(_threads(pid)) <= THREADS, _threads(pid)
            assert len(list(Path(f"/proc/{pid}/fd").iterdir())) <= DESCRIPTORS

    with served(a_workspace / "app.ipynb", KEZAKO_HOME=str(a_workspace), TEST_QUERIES="") as server:
        asyncio.run(three_visits())
        _share_no_socket(server.process.pid, server.zygotes() + server.forks())


def _largest(pids: list[int]) -> int:
    return max(memory(pid) or 0 for pid in pids)


def _share_no_socket(pid: int, others: list[int]) -> None:
    """No descriptor of the server's sockets has found its way into another process."""
    of_server = _sockets(pid)
    assert of_server
    for other in others:
        assert not of_server & _sockets(other)


def _sockets(pid: int) -> set[str]:
    links = {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}
    return {link for link in links if link.startswith("socket:")}


def _threads(pid: int) -> list[str]:
    return [path.read_text().strip() for path in Path(f"/proc/{pid}/task").glob("*/comm")]
