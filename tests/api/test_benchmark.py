"""The benchmark of one classification and of the API runs, and says what it promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_benchmark(the_repository: Path, some_photos: dict[str, list[Path]]) -> None:
    photos = next(iter(some_photos.values()))[0].parent
    script = str(the_repository / "benchmarks" / "predict.py")
    printed = subprocess.run(
        [sys.executable, script, "--photos", str(photos), "--pictures", "2", "--rounds", "1",
         "--seconds", "1"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=True,
    ).stdout  # fmt: skip
    for row in ("learn.predict", "the page's", "Runtime alone", "99 % within", "memory at start"):
        assert row in printed
    assert "refused, crossed             0 0" in printed
