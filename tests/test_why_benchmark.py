"""The benchmark of "why" runs, and says what it promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.looking import tells_why


def test_it_prints_agreement_and_cost(
    the_repository: Path, a_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    bundle = tells_why(a_bundle(tmp_path / "models", "looking", ("red", "green", "blue")))
    said = subprocess.run(
        [sys.executable, str(the_repository / "benchmarks" / "why.py"), "--bundle", str(bundle),
         "--photos", "4", "--places", "6", "--rounds", "3", "--results", str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "KEZAKO_HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=300, check=True,
    ).stdout  # fmt: skip
    means = {
        way: float(mean)
        for mean, way in re.findall(r"^ +(-?[\d.]+)  \(.*?\)  (.+)$", said, re.MULTILINE)
    }
    assert means["as the page does"] > 0.5
    assert {"hidden by zeros", "the slow way, square 1/4 of the side"} <= set(means)
    assert "one why" in said
    kept = json.loads((tmp_path / "why.json").read_text("utf-8"))["why"]["figures"]
    assert kept["alike"]["as the page does"] == pytest.approx(means["as the page does"], abs=0.01)
