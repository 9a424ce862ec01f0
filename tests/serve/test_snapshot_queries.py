"""A notebook that reads the address as it starts: each visitor gets what theirs asks for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.serve.served import served, write_notebook
from tests.serve.visitor import Visitor
from voila_snapshot.pool import _reduced

GREETING = """\
import os
from ipywidgets import Label
Label("Hello " + os.environ.get("QUERY_STRING", ""))
"""


async def greeting(address: str) -> str:
    async with Visitor(address) as visitor:
        return str(visitor.states[visitor.find("LabelModel")]["value"])


def test_known_queries_have_a_snapshot_and_others_share_one(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "greeting.ipynb", GREETING)
    with served(notebook, TEST_QUERIES="who=Ada who=Bob") as server:
        asked = ["?who=Ada", "?utm=x&who=Bob", "", "?who=Eve", "?who=Ada&n=2"]
        heard = [asyncio.run(greeting(server.address + query)) for query in asked]
        assert heard == ["Hello who=Ada", "Hello who=Bob", "Hello ", "Hello ", "Hello who=Ada"]
        assert len(server.zygotes()) == 1  # those of Ada and Bob are copies of the first


def test_without_known_queries_those_beyond_the_limit_are_right_but_slow(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "greeting.ipynb", GREETING)
    with served(notebook, "--Snapshots.limit=2", "--Snapshots.spares=0") as server:
        heard = [asyncio.run(greeting(f"{server.address}?n={number}")) for number in range(3)]
        assert heard == ["Hello n=0", "Hello n=1", "Hello n=2"]
        assert len(server.forks()) == 1  # that of n=0; the others started from nothing


@pytest.mark.parametrize(
    ("query", "reduced"),
    [("model=a", "model=a"), ("x=1&model=b&model=a", "model=b"), ("model=c", ""), ("", "")],
)
def test_a_query_is_reduced_to_one_that_is_known(query: str, reduced: str) -> None:
    assert _reduced(query, ["model=a", "model=b", ""]) == reduced
