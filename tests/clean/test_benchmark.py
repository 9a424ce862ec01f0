"""The benchmark runs, and its table has what it promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.hosts
def test_the_benchmark_of_detection(the_repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(the_repository / "benchmarks" / "clean.py")]
    found = subprocess.run(
        [
            *command,
            "--drawn",
            "--photos",
            "20",
            "--seeds",
            "1",
            "--epochs",
            "0",
            "--results",
            str(tmp_path),
        ],
        env={**os.environ, "KEZAKO_WEIGHTS": "starter", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    ).stdout
    assert "60 pictures, 5 labels flipped" in found
    rows = {line.split("  ")[1]: line for line in found.splitlines() if line.startswith("  ")}
    assert {"suspects", "random", "flips mended", "others moved"} <= set(rows)
    kept = json.loads((tmp_path / "clean.json").read_text("utf-8"))["flips"]["figures"]
    assert kept["flips"] == 5
