"""The page is tried for real: its libraries, a forked kernel, each classifier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kezako.doctor.serving import serving
from kezako.model.bundle import MODEL
from kezako.workspace import Workspace


def test_a_page_that_can_be_served(
    an_empty_workspace: Workspace, a_bundle: Callable[..., Path]
) -> None:
    a_bundle(an_empty_workspace.models, "colours", ("red", "green"))
    broken = a_bundle(an_empty_workspace.models, "spoilt", ("red", "green")) / MODEL
    broken.write_bytes(b"no model")
    found = {one.what: one for one in serving(an_empty_workspace)}
    assert found["the page"].mark == "ok"
    assert found["forked kernels"].found.startswith("work (")
    assert found["colours"].found == "opens and answers: kezako serve colours"
    assert found["spoilt"].mark == "--"
    assert "is not the file that card.json describes" in found["spoilt"].found


def test_a_broken_library_is_named_and_ends_nothing_else(
    an_empty_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "voila.py").write_text("raise OSError('libwidget.so.1: cannot open')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (found,) = serving(an_empty_workspace)
    assert found.mark == "!!"
    assert "libwidget.so.1: cannot open" in found.found
    assert found.advice.startswith("pip install")
