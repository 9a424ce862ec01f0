"""Install several versions of fastai, for the tests of `kezako import` with their exports.

    python scripts/older_fastai.py [2.1 2.4 2.7]

Each version gets its own environment in ~/.cache/kezako/exports, with the Python, torch and NumPy
of its time. That Python must be installed (as python3.8, or by pyenv). 2 to 4 GB each.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path.home() / ".cache" / "kezako" / "exports"
# fastai -> its Python, and the packages of its time.
VERSIONS = {
    "2.0": ("3.7", "fastai==2.0.15 fastcore==1.0.20 torch==1.6.0 torchvision==0.7.0 numpy==1.19.5 "
                   "pandas==1.1.5 Pillow==7.2.0 cloudpickle==2.2.1"),
    "2.1": ("3.8", "fastai==2.1.10 fastcore==1.3.13 torch==1.7.1 torchvision==0.8.2 numpy==1.19.5 "
                   "pandas==1.1.5 Pillow==8.2.0 cloudpickle==2.2.1"),
    "2.4": ("3.9", "fastai==2.4.1 fastcore==1.3.29 torch==1.9.1 torchvision==0.10.1 numpy==1.21.6 "
                   "pandas==1.3.5 Pillow==8.4.0 cloudpickle==2.2.1"),
    "2.7": ("3.10", "fastai==2.7.12 fastcore==1.5.55 torch==1.13.1 torchvision==0.14.1 "
                    "numpy==1.23.5 pandas==1.5.3 Pillow==9.5.0 cloudpickle==3.1.3 timm==0.9.2"),
}  # fmt: skip


def python_of(version: str) -> Path:
    """The Python of that fastai's environment; it need not exist."""
    return FOLDER / f"fastai-{version}" / "bin" / "python"


def install(version: str) -> None:
    """Make the environment. Raises `SystemExit` if its Python is missing."""
    number, packages = VERSIONS[version]
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{number}.*/bin/python"))
    found = shutil.which(f"python{number}") or (str(pyenv[-1]) if pyenv else None)
    if not found:
        sys.exit(f"fastai {version} needs Python {number}; install it, then run this again.")
    python = python_of(version)
    subprocess.run([found, "-m", "venv", "--clear", str(python.parents[1])], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages.split()], check=True)


if __name__ == "__main__":
    for each in sys.argv[1:] or VERSIONS:
        print(f"fastai {each}", flush=True)
        install(each)
