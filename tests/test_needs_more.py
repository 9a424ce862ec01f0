"""Where only what the page needs is installed, everything else says which command brings it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = (
    "import sys; sys.modules[{module!r}] = None; from kezako.cli import main; sys.exit(main())"
)


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        (["sample", "smileys"], "tqdm"),
        (["gather", "pets"], "filelock"),
        (["train", "pets"], "papermill"),
        (["train", "pets"], "torch"),
        (["train", "pets"], "fastai"),
        (["clean", "pets"], "sklearn"),
    ],
)
def test_the_command_is_named(
    arguments: list[str], module: str, the_repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "data" / "pets").mkdir(parents=True)
    (tmp_path / "data" / "pets" / "recipe.toml").write_text("[classes]\ncat = []\ndog = []\n")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(module=module), *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(the_repository), "KEZAKO_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert f"({module} is missing)" in done.stderr
    assert 'pip install -e ".[train]"' in done.stderr
    assert "Traceback" not in done.stderr
