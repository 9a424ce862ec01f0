"""The benchmark runs, and its table has what it promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_benchmark_of_detection(the_repository: Path) -> None:
    command = [sys.executable, str(the_repository / "benchmarks" / "clean.py")]
    found = subprocess.run(
        [*command, "--drawn", "--photos", "20", "--seeds", "1", "--epochs", "0"],
        env={**os.environ, "KEZAKO_WEIGHTS": "starter", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    ).stdout
    assert "60 pictures, 5 labels flipped" in found
    rows = {line.split("  ")[1]: line for line in found.splitlines() if line.startswith("  ")}
    assert {"suspects", "random", "flips mended", "others moved"} <= set(rows)
