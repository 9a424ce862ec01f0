"""A maker's own notebook, whose buttons do what no page should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CELL = """
import os, sys, time, warnings
from ipywidgets import Button, Label, Output, VBox

said, out, held = Label(), Output(), []

def act(button):
    what = button.description
    if what == "spin":
        end = time.monotonic() + 600
        while time.monotonic() < end:
            pass
    elif what == "eat":
        held.append(bytearray(b"x" * 300_000_000))
    elif what == "fail":
        raise RuntimeError("a secret in /srv/secret/path.py")
    elif what == "warn":
        print("a secret in /srv/secret/path.py", file=sys.stderr)
        print("said aloud")
    elif what == "shout":
        os.write(2, b"\\x1b[2J[Server] ERROR | forged\\r\\n[Server] ERROR | forged\\n")
        os.write(1, "half a l\\u00efne".encode())
    elif what == "roar":
        for _ in range(10_000):
            os.write(2, 40 * b"[Server] ERROR | it has gone mad, and says so\\n")
    elif what == "end":
        os._exit(3)
    said.value = what + " done"

buttons = [Button(description=d) for d in ("spin", "eat", "fail", "warn", "shout", "roar", "end")]
for button in buttons:
    button.on_click(act)
VBox([*buttons, said, out])
"""
THREAD = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()\n"


def write_notebook(
    home: Path,
    first: str = "",  # what it does before all else
) -> Path:
    """`home/notebooks/app.ipynb`, which `kezako serve` takes before its own."""
    path = home / "notebooks" / "app.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    cell: dict[str, Any] = {
        "cell_type": "code", "id": "all", "metadata": {}, "source": first + CELL.strip(),
        "execution_count": None, "outputs": [],
    }  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path
