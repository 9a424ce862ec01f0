"""A change of the notebook, or of what is watched, reaches the next visitor and disturbs none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.serve.served import Served, served, write_notebook
from tests.serve.visitor import Visitor

CELL = """\
from ipywidgets import Button, Label, VBox
said = Label({words})
button = Button(description="Say")
button.on_click(lambda _: setattr(said, "value", "still here"))
VBox([said, button])
"""


async def first_words(visitor: Visitor) -> str:
    return str(visitor.states[visitor.find("LabelModel")]["value"])


async def a_visit(server: Served) -> str:
    async with Visitor(server.address) as visitor:
        heard = await first_words(visitor)
        await visitor.leaves()
        return heard


async def until_a_visit_hears(words: str, server: Served) -> None:
    for _ in range(200):
        if await a_visit(server) == words:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"Nobody heard {words!r}:\n{server.said[-2000:]}")


async def the_story(server: Served, notebook: Path, noted: Path) -> None:
    async with Visitor(server.address) as early:
        assert await first_words(early) == "before"
        write_notebook(notebook, CELL.format(words="'after'"))
        await until_a_visit_hears("after", server)
        await early.presses("Say")  # a visitor of the old one finishes
        label = early.find("LabelModel")
        await early.until(lambda: early.states[label]["value"] == "still here", "the old kernel")
        await early.leaves()
    write_notebook(notebook, "1 / 0")
    while "stays, because cell 1 fails with ZeroDivisionError" not in server.said:
        await asyncio.sleep(0.1)
    assert await a_visit(server) == "after"  # rather than an error
    write_notebook(notebook, CELL.format(words=f"open({str(noted)!r}).read()"))
    await until_a_visit_hears("noted", server)
    noted.write_text("noted again")
    await until_a_visit_hears("noted again", server)


SLOW = """\
import pathlib, time
from ipywidgets import Label
folder = pathlib.Path({folder!r})
first = (folder / "watched" / "first").read_text()
if (folder / "waits").exists():
    (folder / "begun").touch()
    while (folder / "waits").exists():
        time.sleep(0.01)
Label(first + (folder / "watched" / "second").read_text())
"""


async def until_it_is(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("It did not come true.")


async def an_exchange_in_the_middle(server: Served, folder: Path) -> None:
    """What is watched changes after a first part of it was read, and before a second."""
    assert await a_visit(server) == "oldold"
    (folder / "waits").touch()
    (folder / "watched" / "other").touch()
    await until_it_is((folder / "begun").exists)
    for part in ("first", "second"):
        (folder / "watched" / part).write_text("new")
    (folder / "waits").unlink()
    heard = [await a_visit(server)]
    while heard[-1] != "newnew" and len(heard) < 1000:
        await asyncio.sleep(0.05)
        heard.append(await a_visit(server))
    assert set(heard) <= {"oldold", "newnew"}
    assert heard[-1] == "newnew", server.said[-2000:]


def test_nobody_sees_a_part_from_before_and_a_part_from_after(tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    for part in ("first", "second"):
        (watched / part).write_text("old")
    notebook = write_notebook(tmp_path / "page.ipynb", SLOW.format(folder=str(tmp_path)))
    with served(notebook, TEST_QUERIES="", TEST_WATCHED=str(watched / "*")) as server:
        asyncio.run(an_exchange_in_the_middle(server, tmp_path))


def test_changes_reach_the_next_visitor(tmp_path: Path) -> None:
    noted = tmp_path / "watched" / "note.txt"
    noted.parent.mkdir()
    noted.write_text("noted")
    notebook = write_notebook(tmp_path / "page.ipynb", CELL.format(words="'before'"))
    with served(notebook, TEST_QUERIES="", TEST_WATCHED=str(noted.parent / "*")) as server:
        asyncio.run(the_story(server, notebook, noted))
        server.wait_until(lambda: len(server.zygotes()) == 1, "Former snapshots did not end")
