"""Each probe runs in a subprocess: a broken library only breaks its own probe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SECONDS = 120  # torch alone takes twenty on a slow disk
_PACKAGE = str(Path(__file__).parents[2])
_BEGIN = "import sys; sys.path.insert(0, {package!r}); from {module} import main; main()"


class ProbeFailed(Exception):
    """The probe ended without an answer; the message is its last line."""


def ask(module: str, *arguments: str) -> dict[str, Any]:
    """Run `main()` of a module in a subprocess; returns the JSON of its last line.

    Raises `ProbeFailed`.
    """
    code = _BEGIN.format(package=_PACKAGE, module=module)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ProbeFailed(f"no answer within {SECONDS} seconds") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise ProbeFailed(said[-1][:300])
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
