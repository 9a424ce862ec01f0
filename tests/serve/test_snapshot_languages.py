"""A notebook that reads a header: few values have a snapshot, run in a copy of the first."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.serve.served import children, lives, served, write_notebook
from tests.serve.visitor import Visitor
from tests.servers import until
from voila_snapshot import pool
from voila_snapshot.pool import Snapshots
from voila_snapshot.snapshot import Snapshot

GREETING = """\
import os
import signal
from ipywidgets import Label, VBox
language = os.environ.get("HTTP_ACCEPT_LANGUAGE", "none")
again = "before" in globals()
before = Label("Hello " + language)
print("printed in", language)
VBox([before])
"""
FUNCTION = "kezako.words.accepted"
REDUCED = (
    f"--Snapshots.reduced=HTTP_ACCEPT_LANGUAGE={FUNCTION}",
    "--VoilaConfiguration.http_header_envs=Accept-Language",
)


async def greeting(address: str, language: str) -> str:
    async with Visitor(address, {"Accept-Language": language} if language else {}) as visitor:
        assert len(visitor.models) == len(set(visitor.models)) >= 2
        (said,) = [state for state in visitor.states.values() if "Hello" in str(state.get("value"))]
        return str(said["value"])


def test_visitors_of_one_language_share_a_snapshot(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "greeting.ipynb", GREETING)
    with served(notebook, *REDUCED, TEST_QUERIES="") as server:
        asked = ["de-AT,de;q=0.9", "de", "", "en-GB", "sv", "ja,de;q=0.5", "de-CH"]
        heard = [asyncio.run(greeting(server.address, language)) for language in asked]
        assert heard == [f"Hello {code}" for code in ("de", "de", "en", "en", "en", "ja", "de")]
        (first,) = server.zygotes()
        assert len([pid for pid in children(first) if children(pid)]) <= 2  # German, Japanese
        assert "printed in" not in server.said, "it belongs to the page"


def test_plain_voila_reduces_it_too(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "greeting.ipynb", GREETING)
    settings = {"JUPYTER_DEFAULT_PROVISIONER_NAME": "snapshot-provisioner"}
    with served(notebook, *REDUCED, module="voila", **settings) as server:
        asked = [f"de-{number},de;q=0.{number}" for number in range(1, 7)]
        assert {asyncio.run(greeting(server.address, one)) for one in asked} == {"Hello de"}
        assert len(server.zygotes()) == 1, "none was started from nothing"


Chosen = Callable[..., Awaitable[Snapshot]]


def run_with(
    tmp_path: Path, visit: Callable[[Snapshots, Chosen], Awaitable[None]], source: str = GREETING
) -> None:
    """Run `visit` with snapshots of a notebook, at most two at once."""
    notebook = write_notebook(tmp_path / "greeting.ipynb", source)

    async def whole() -> None:
        snapshots = Snapshots(
            notebook=str(notebook), limit=2, spares=0, reduced={"HTTP_ACCEPT_LANGUAGE": FUNCTION}
        )

        async def chosen(header: str, **others: str) -> Snapshot:
            environment = {**os.environ, "HTTP_ACCEPT_LANGUAGE": header, **others}
            found = await snapshots.choose(environment)
            assert found is not None, "no ordinary kernel"
            return found

        snapshots.patience = 60.0
        try:
            await visit(snapshots, chosen)
        finally:
            snapshots.stop()

    asyncio.run(whole())


def language(snapshot: Snapshot) -> str:
    (said,) = [entry["state"]["value"] for entry in snapshot.state.values()
               if "Hello" in str(entry["state"].get("value"))]  # fmt: skip
    return str(said)


def test_beyond_the_limit_the_default_language_is_better_than_a_wait(tmp_path: Path) -> None:
    async def visit(snapshots: Snapshots, chosen: Chosen) -> None:
        german = await chosen("de")
        fork = await german.fork()
        assert language(german) == "Hello de"
        assert language(await chosen("fr")) == language(await chosen("en")) == "Hello en"
        assert await chosen("de") is german
        fork.kill()

    run_with(tmp_path, visit)


def test_a_language_that_nobody_uses_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_UNUSED", 0.0)

    async def visit(snapshots: Snapshots, chosen: Chosen) -> None:
        german = await chosen("de")
        fork = await german.fork()
        assert language(await chosen("fr")) == "Hello en", "somebody still reads German"
        fork.kill()
        while fork.poll() is None:
            await asyncio.sleep(0.01)
        french = await chosen("fr")
        assert language(french) == "Hello fr"
        assert [language(one) for one in snapshots._current] == ["Hello en", "Hello fr"]
        until(lambda: not german.is_alive, "The German one stays.")

    run_with(tmp_path, visit)


def test_a_copy_knows_nothing_of_the_first_run(tmp_path: Path) -> None:
    source = GREETING.replace("VBox([before])", "VBox([before, Label(str(again))])")

    async def visit(snapshots: Snapshots, chosen: Chosen) -> None:
        english, german = await chosen("en"), await chosen("de")
        values = [entry["state"].get("value") for entry in german.state.values()]
        assert "False" in values, "its names are new"
        assert "Hello en" not in values, "its widgets are new"
        assert not set(english.state) & set(german.state)
        (output,) = [each for cell in german.notebook.cells for each in cell.outputs
                     if each.output_type == "stream"]  # fmt: skip
        assert output.text == "printed in de\n"

    run_with(tmp_path, visit, source)


def test_a_notebook_that_fails_in_one_language_is_shown_in_the_default(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def visit(snapshots: Snapshots, chosen: Chosen) -> None:
        snapshots.queries = list
        assert language(await chosen("pl")) == "Hello en"
        assert language(await chosen("de")) == "Hello de", "others are not affected"

    run_with(tmp_path, visit, GREETING + '\nassert language != "pl"\n')
    assert "There is no snapshot for {'HTTP_ACCEPT_LANGUAGE': 'pl'}" in caplog.text


def test_a_copy_ends_with_the_process_that_it_was_copied_from(tmp_path: Path) -> None:
    async def visit(snapshots: Snapshots, chosen: Chosen) -> None:
        german = await chosen("de")
        fork = await german.fork()
        (first,), (copy,) = (await chosen("en")).pids, german.pids
        os.kill(first, signal.SIGKILL)
        until(lambda: not lives(copy) and not german.is_alive, "The copy stays.")
        until(lambda: not lives(fork.pid), "Its kernel stays.")

    run_with(tmp_path, visit)
