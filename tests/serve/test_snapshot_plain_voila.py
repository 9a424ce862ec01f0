"""Voilà itself, told by its environment alone, forks kernels and runs no cell in them again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.serve.served import served, write_notebook
from tests.serve.visitor import Visitor

COUNTING = """\
from pathlib import Path
from ipywidgets import Label, Output, VBox
ran = Path("ran.txt")
ran.write_text(ran.read_text() + "x" if ran.exists() else "x")
out = Output()
with out:
    print("in the widget")
print("on the page")
VBox([Label("counted"), out])
"""


async def a_visit(address: str) -> Visitor:
    async with Visitor(address) as visitor:
        return visitor


def test_plain_voila_forks(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "page.ipynb", COUNTING)
    settings = {"JUPYTER_DEFAULT_PROVISIONER_NAME": "snapshot-provisioner"}
    with served(notebook, module="voila", **settings) as server:
        visitors = [asyncio.run(a_visit(server.address)) for _ in range(2)]
        assert len(server.forks()) == 3  # and one ahead
    assert (tmp_path / "ran.txt").read_text() == "x"
    for visitor in visitors:
        assert "on the page" in visitor.html
        (output,) = visitor.states[visitor.find("OutputModel")]["outputs"]
        assert output["text"] == "in the widget\n"
    assert visitors[0].models == visitors[1].models
