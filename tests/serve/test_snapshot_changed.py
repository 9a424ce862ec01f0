"""A change of the notebook, or of what is watched, reaches the next visitor and disturbs none."""

from __future__ import annotations

import asyncio
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


def test_changes_reach_the_next_visitor(tmp_path: Path) -> None:
    noted = tmp_path / "watched" / "note.txt"
    noted.parent.mkdir()
    noted.write_text("noted")
    notebook = write_notebook(tmp_path / "page.ipynb", CELL.format(words="'before'"))
    with served(notebook, TEST_QUERIES="", TEST_WATCHED=str(noted.parent / "*")) as server:
        asyncio.run(the_story(server, notebook, noted))
        server.wait_until(lambda: len(server.zygotes()) == 1, "Former snapshots did not end")
