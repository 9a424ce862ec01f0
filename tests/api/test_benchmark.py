"""The benchmark of one classification and of the API runs, and says what it promises."""

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
    script = str(the_repository / "benchmarks" / "predict.py")
    printed = subprocess.run(
        [sys.executable, script, "--photos", str(photos), "--pictures", "2", "--rounds", "1",
         "--seconds", "1", "--results", str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=True,
    ).stdout  # fmt: skip
    for row in ("learn.predict", "the page's", "Runtime alone", "99 % within", "memory at start"):
        assert row in printed
    assert "refused, crossed             0 0" in printed
    kept = json.loads((tmp_path / "predict.json").read_text("utf-8"))
    assert kept["one"]["figures"]["page ms"] > 0
    assert kept["api"]["figures"]["refused"] == 0
