"""A forked kernel under jupyter_client alone: it runs code, can be interrupted, and ends."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from traitlets.config import Config

from tests.serve.served import lives, write_notebook
from tests.servers import until
from voila_snapshot.pool import PROVISIONER
from voila_snapshot.provisioner import SnapshotProvisioner

ENDLESS = "print('begun', flush=True)\nwhile True: pass"


async def its_life(manager: AsyncKernelManager) -> dict[str, Any]:
    """Start a kernel, run a cell, interrupt an endless one, and end one that is busy."""
    await manager.start_kernel(env={**os.environ, "SCRIPT_NAME": "/"})
    provisioner = manager.provisioner
    assert isinstance(provisioner, SnapshotProvisioner)
    seen: dict[str, Any] = {"forked": provisioner.forked, "pid": provisioner.pid}
    seen["memory"] = provisioner.memory()
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        seen["known"] = await asks(client, "loaded")
        client.execute(ENDLESS, stop_on_error=False)
        await until_busy(client)
        await manager.interrupt_kernel()
        reply = await client.get_shell_msg(timeout=60)
        seen["interrupted"] = reply["content"]["ename"]
        client.execute(ENDLESS)
        await until_busy(client)
    finally:
        client.stop_channels()
    await manager.shutdown_kernel()
    provisioner.parent.snapshots.stop()
    return seen


async def asks(client: Any, expression: str) -> str:
    client.execute("", user_expressions={"it": expression}, silent=True)
    reply = await client.get_shell_msg(timeout=60)
    return str(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])


async def until_busy(client: Any) -> None:
    """Wait until the cell itself runs: a signal before that finds the kernel, not the cell."""
    while True:
        message = await client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "stream" and "begun" in message["content"]["text"]:
            return


def test_a_forked_kernel_is_a_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = write_notebook(tmp_path / "page.ipynb", "loaded = 'before the fork'")
    factory = KernelProvisionerFactory.instance()
    monkeypatch.setattr(factory, "default_provisioner_name", PROVISIONER)
    config = Config({"Snapshots": {"notebook": str(notebook), "spares": 0, "patience": 60.0}})
    seen = asyncio.run(its_life(AsyncKernelManager(config=config)))
    assert seen["forked"]
    assert seen["memory"] > 0
    assert seen["known"] == "'before the fork'"
    assert seen["interrupted"] == "KeyboardInterrupt"
    until(lambda: not lives(seen["pid"]), "A busy kernel did not end")
