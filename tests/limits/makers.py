"""A maker's own notebook, whose buttons do what no page should."""

from __future__ import annotations

import json
from pathlib import Path

CELL = """
import sys, time, warnings
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
    elif what == "end":
        import os
        os._exit(3)
    said.value = what + " done"

buttons = [Button(description=d) for d in ("spin", "eat", "fail", "warn", "end")]
for button in buttons:
    button.on_click(act)
VBox([*buttons, said, out])
"""


def write_notebook(home: Path) -> Path:
    """`home/notebooks/app.ipynb`, which `kezako serve` takes before its own."""
    path = home / "notebooks" / "app.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    cell = {
        "cell_type": "code", "id": "all", "metadata": {}, "source": CELL.strip(),
        "execution_count": None, "outputs": [],
    }  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path
