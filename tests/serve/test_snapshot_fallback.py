"""What cannot be forked gets ordinary kernels, and the log says why in a sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpec

from tests.serve.served import served, write_notebook
from tests.serve.visitor import Visitor
from voila_snapshot.pool import _python
from voila_snapshot.snapshot import SnapshotError

WIDGET = "from ipywidgets import Label\nLabel('here')"
THREAD = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"
ONLY_ONCE = "import sys\nassert 'zygote' not in str(sys.modules.keys()), 'not in a snapshot'"


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (THREAD, "the notebook left a thread running (Thread-"),
        (ONLY_ONCE, "cell 1 fails with AssertionError: not in a snapshot"),
    ],
)
def test_a_notebook_that_cannot_be_forked_is_served_all_the_same(
    tmp_path: Path, cell: str, why: str
) -> None:
    async def a_visit(address: str) -> str:
        async with Visitor(address) as visitor:
            return str(visitor.states[visitor.find("LabelModel")]["value"])

    notebook = write_notebook(tmp_path / "page.ipynb", cell, WIDGET)
    with served(notebook, TEST_QUERIES="") as server:
        assert asyncio.run(a_visit(server.address)) == "here"
        assert f"Every visitor's kernel starts from nothing, because {why}" in server.said
        assert not server.forks()


@pytest.mark.parametrize(
    ("argv", "metadata", "why"),
    [
        (["R", "--slave", "-e", "IRkernel::main()"], {}, "not Python's own"),
        (
            ["python", "-m", "ipykernel_launcher"],
            {"kernel_provisioner": {"provisioner_name": "of-a-cluster"}},
            "started by 'of-a-cluster'",
        ),
    ],
)
def test_kernels_of_another_kind_are_not_forked(
    argv: list[str], metadata: dict[str, object], why: str
) -> None:
    spec = KernelSpec(argv=argv, display_name="Other", metadata=metadata)
    with pytest.raises(SnapshotError, match=why):
        _python(spec)
