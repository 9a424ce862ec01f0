"""The arithmetic of docs/scale.md is that of benchmarks/plan.py with the figures it names."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def test_the_tables_are_what_the_script_prints(the_repository: Path) -> None:
    document = (the_repository / "docs" / "scale.md").read_text("utf-8")
    command = re.search(r"`python (benchmarks/plan\.py [^`]*--core[^`]*)`", document)
    assert command, "docs/scale.md names no command with its figures"
    printed = subprocess.run(
        [sys.executable, *command[1].split()],
        cwd=the_repository, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rows = [line for line in printed.splitlines() if line.startswith("| ")]
    assert len(rows) > 6
    assert not [row for row in rows if row not in document]
