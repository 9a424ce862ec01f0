"""Run the conversion of an untrusted file in a subprocess with limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kezako.importer.allowlist import Refused
from kezako.importer.convert import FOUND, SECONDS, Order

_ROOT = Path(__file__).parents[2]
_PATH = "import sys; sys.path.append(sys.argv[1]); "  # last, so that it shadows no module
_PROGRAM = "from kezako.importer.convert import main; main()"
# No imports from the working directory, and hashes that a file cannot predict.
_ENVIRONMENT = {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "ignore", "OMP_WAIT_POLICY": "PASSIVE",
                "PYTHONHASHSEED": "random"}  # fmt: skip
_MAX_FOUND = 16 * 2**20  # bytes of found.json; ten thousand classes need a tenth of that


def convert_apart(order: Order) -> dict[str, Any]:
    """Run `convert` in a subprocess with limits on time and memory.

    Raises `Refused`, and `ImportError` if torch or fastai is not installed.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PATH + _PROGRAM, str(_ROOT)],
            input=json.dumps(asdict(order)), text=True, cwd=order.folder,
            env={**os.environ, **_ENVIRONMENT}, timeout=2 * SECONDS, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Refused(
            f"The file was given up after {2 * SECONDS // 60} minutes; nothing is left of it."
        ) from error
    path = Path(order.folder) / FOUND
    if not path.is_file():
        raise Refused(
            "The file took more memory or time than a classifier can need, and was given up "
            f"(status {done.returncode}); nothing is left of it."
        )
    if path.stat().st_size > _MAX_FOUND:
        raise Refused("The file is refused: what it says of itself is too long.")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    if "missing" in found:
        raise ImportError(f"No module named {found['missing']}", name=found["missing"])
    if "refused" in found:
        raise Refused(found["refused"])
    return found
