"""The wheel holds what an installed Kezako looks for beside the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile


def test_it_holds_the_notebooks_and_the_starter_weights(
    the_repository: Path, tmp_path: Path
) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=the_repository, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = set(ZipFile(wheel).namelist())
    beside = [
        *(the_repository / "notebooks").glob("*.ipynb"),
        *(file for file in (the_repository / "models" / "starter").glob("*") if file.is_file()),
    ]
    assert {"notebooks", "starter"} == {file.parent.name for file in beside}
    assert {f"kezako/{file.parent.name}/{file.name}" for file in beside} <= names
    assert "kezako/cli.py" in names
    assert not {name for name in names if name.startswith(("tests", "data", "notebooks"))}
