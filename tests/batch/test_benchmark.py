"""The benchmark of folders runs, and says what it promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.hosts
def test_the_benchmark(
    the_repository: Path, some_photos: dict[str, list[Path]], tmp_path: Path
) -> None:
    photos = next(iter(some_photos.values()))[0].parent
    script = str(the_repository / "benchmarks" / "batch.py")
    printed = subprocess.run(
        [sys.executable, script, "--photos", str(photos), "--pictures", "4", "--rounds", "1",
         "--without", "ray", "--memory", "4", "--results", str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=True,
    ).stdout  # fmt: skip
    for row in ("get_preds", "ONNX Runtime", "kezako predict", "held to 3 times", "4 pictures"):
        assert row in printed
    kept = json.loads((tmp_path / "batch.json").read_text("utf-8"))
    assert kept["folder"]["figures"]["kezako"]["a second"] > 0
    assert kept["memory"]["figures"]["MB"]["4"] > 0
