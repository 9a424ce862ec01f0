"""Voilà finds the template wherever Kezako is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from voila.paths import collect_static_paths, collect_template_paths

from voila_snapshot import template


def test_offered_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", f"{os.sep}elsewhere")
    template.offer()
    template.offer()
    assert os.environ["JUPYTER_PATH"].split(os.pathsep) == [
        str(template.FOLDER), f"{os.sep}elsewhere",
    ]  # fmt: skip
    first = Path(collect_template_paths(["voila", "nbconvert"], template.NAME, prune=True)[0])
    assert (first / "index.html.j2").is_file()
    statics = Path(collect_static_paths(["voila", "nbconvert"], template.NAME, prune=True)[0])
    assert list(statics.glob("page-*.js"))


def test_a_wheel_brings_it_to_jupyters_own_folder(the_repository: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=the_repository, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = ZipFile(wheel).namelist()
    inside = f"voila/templates/{template.NAME}/"
    for part in ("conf.json", "index.html.j2", "cells.html.j2", "scripts.html.j2", "page.css"):
        assert any(name.endswith(f".data/data/share/jupyter/{inside}{part}") for name in names)
        assert f"voila_snapshot/template/{inside}{part}" in names
    assert sum(f"voila_snapshot/template/{inside}static/page-" in name for name in names) == 1
