"""A snapshot that is replaced while its page is drawn, and a kernel that ends while all do."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.web import HTTPError

from kezako.serve.app import Server
from voila_snapshot import pages
from voila_snapshot.pages import PageHandler
from voila_snapshot.snapshot import SnapshotError


class _Snapshot:
    def __init__(self, living: bool):
        self.living = living

    async def fork(self) -> str:
        if not self.living:
            raise SnapshotError("the process that ran the notebook has ended")
        return "a kernel"


class _Snapshots:
    """Chooses what it was given, in that order."""

    def __init__(self, *living: bool):
        self.left = [_Snapshot(one) for one in living]

    async def choose(self, _: object) -> _Snapshot | None:
        return self.left.pop(0) if self.left else None


def forked(monkeypatch: pytest.MonkeyPatch, *living: bool) -> tuple[Any, Any]:
    async def drawn(_: object, snapshot: object, *__: object) -> tuple[str, object]:
        return "the page of", snapshot

    monkeypatch.setattr(pages, "drawn", drawn)
    handler = SimpleNamespace(
        settings={"voila": None}, _look=lambda: (), log=logging.getLogger("handler")
    )
    snapshots = _Snapshots(*living)
    given = list(snapshots.left)
    return asyncio.run(PageHandler._forked(handler, snapshots, {})), given  # type: ignore[arg-type]


def test_the_next_one_is_asked_and_gives_its_own_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found, (_, second) = forked(monkeypatch, False, True)
    assert found == (("the page of", second), second, "a kernel")
    assert not caplog.records, "nobody has to hear of it"


def test_where_none_lasts_an_ordinary_kernel_is_started_and_the_log_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found, _ = forked(monkeypatch, False, False, False, True)
    assert found is None
    (record,) = caplog.records
    assert "because the process that ran the notebook has ended" in record.getMessage()


@pytest.mark.parametrize("status", [404, 500])
def test_a_kernel_that_ends_while_all_do_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    done: list[str] = []

    async def shutdown_all() -> None:
        done.append("the others")

    def stop(_: object) -> None:
        raise HTTPError(status, "Kernel does not exist")

    monkeypatch.setattr("voila.app.Voila.stop", stop)
    server = Server()
    monkeypatch.setattr(server, "api", SimpleNamespace(close=lambda: None), raising=False)
    server.kernel_manager = SimpleNamespace(shutdown_all=shutdown_all)
    server.snapshots = SimpleNamespace(stop=lambda: done.append("snapshots"))
    if status == 404:
        server.stop()
        assert done == ["the others", "snapshots"]
    else:
        with pytest.raises(HTTPError):
            server.stop()
        assert done == ["snapshots"]
