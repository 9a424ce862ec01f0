"""Store measurements as JSON in `benchmarks/results/`; README's table is made from them.

One file per script, with one part for each thing that it measures:

    {"page": {"command": "python benchmarks/serve.py", "date": "2026-11-28", "commit": "1a2b3c4",
              "processor": "…", "cores": 2, "versions": {"python": "3.11.7", …},
              "figures": {…}}}
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks" / "results"
OPTION = "--results"
# Packages that figures depend on.
PACKAGES = ("kezako", "fastai", "torch", "onnxruntime", "pillow", "voila", "ray")


def add_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(OPTION, type=Path, default=FOLDER, metavar="FOLDER",
                        help="where the figures are kept (benchmarks/results)")  # fmt: skip


def keep(folder: Path, part: str, figures: Mapping[str, Any]) -> None:
    """Write one part's figures to the running script's file; other parts are kept."""
    path = folder / f"{Path(sys.argv[0]).stem}.json"
    parts = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    parts[part] = {
        "command": _command(),
        "date": datetime.date.today().isoformat(),
        "commit": _commit(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version(), **_versions()},
        "figures": _rounded(figures),
    }
    folder.mkdir(parents=True, exist_ok=True)
    part_file = path.with_suffix(".part")
    part_file.write_text(json.dumps(parts, indent=1, ensure_ascii=False) + "\n", "utf-8")
    part_file.replace(path)


def read(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Part -> its entry in the file of the script `name`."""
    parts: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return parts


def _command() -> str:
    words = [f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]
    if OPTION in words:
        place = words.index(OPTION)
        del words[place : place + 2]
    return shlex.join(["python", *(word for word in words if not word.startswith(f"{OPTION}="))])


def _commit() -> str:
    """The current commit, with a + if files differ from it; "" outside a clone."""

    def git(*words: str) -> str:
        ran = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        return ran.stdout.strip()

    changed = git(
        "status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results"
    )
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def _processor() -> str:
    """The processor's name from Linux, else from `platform`."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _rounded(value: Any) -> Any:
    """Four significant digits: more would be noise, and change every line of the file each time."""
    if isinstance(value, Mapping):
        return {str(key): _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return float(f"{float(value):.4g}")
