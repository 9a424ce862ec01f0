"""The table of an interrupted run is taken up only where it fits."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kezako.batch.sheet import Sheet
from kezako.bundle import read_card
from tests.needs import only_where

LABELS = ("red", "green", "blue")
ROW = ["a.png", "red", "true", "1.0", "0.0", "0.0", ""]


def test_rows_of_another_training_are_not_mixed_in(
    tmp_path: Path, a_bundle: Callable[..., Path]
) -> None:
    first = read_card(a_bundle(tmp_path / "models", "colours", LABELS))
    with Sheet(tmp_path / "a.csv", first) as sheet:
        sheet.write([ROW])
    other = read_card(a_bundle(tmp_path / "models", "colours", LABELS, title="Again?"))
    with Sheet(tmp_path / "a.csv", other) as sheet:
        assert len(sheet.done) == 0
    assert len(list(tmp_path.glob("a.csv.*.part"))) == 1


@only_where(os.name == "posix", "locks of files")
def test_two_runs_at_once_are_refused(tmp_path: Path, a_bundle: Callable[..., Path]) -> None:
    card = read_card(a_bundle(tmp_path / "models", "colours", LABELS))
    with (
        Sheet(tmp_path / "a.csv", card),
        pytest.raises(ValueError, match="Another run"),
        Sheet(tmp_path / "a.csv", card),
    ):
        pass
