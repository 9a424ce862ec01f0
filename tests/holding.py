"""Another process that holds the lock of a workspace item."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import sys
from pathlib import Path
from kezako.lock import locked
item, inside = Path(sys.argv.pop(1)), sys.argv.pop(1) == "inside"
sys.argv[0] = "kezako"
with locked(item, inside):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(
    item: Path,
    command: str = "train wolves",  # what it says it is
    inside: bool = False,
) -> Iterator[subprocess.Popen[str]]:
    """Within the block `item` is held; then that process ends."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(item), "inside" if inside else "", *command.split()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.stdin.close()
