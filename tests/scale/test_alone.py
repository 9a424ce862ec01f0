"""One run at a time into one folder of tables: two would answer for some pictures twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.errors import KezakoError
from tests.holding import held
from tests.needs import needs_package

needs_package("pyarrow")

from kezako.scale.storage import Storage


def test_a_second_run_is_told_who_writes_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kezako.lock.PATIENCE", 0)
    out = tmp_path / "out"
    with (
        held(out, "scale batch", inside=True),
        pytest.raises(KezakoError, match="out is in use by kezako scale batch"),
        Storage.of(str(out)).alone(),
    ):
        pass
    with Storage.of(str(out)).alone():
        assert out.is_dir()


def test_what_a_killed_run_left_half_is_swept_by_the_next_alone(tmp_path: Path) -> None:
    half, whole = tmp_path / ".part-1.parquet.77.part", tmp_path / "part-2.parquet"
    half.touch()
    whole.touch()
    assert half.is_file()
    with Storage.of(str(tmp_path)).alone():
        assert not half.exists()
        assert whole.exists()


def test_a_file_in_its_place_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with (
        pytest.raises(KezakoError, match="out is a file"),
        Storage.of(str(tmp_path / "out")).alone(),
    ):
        pass
    assert (tmp_path / "out").read_text() == "mine"


def test_a_bucket_has_no_lock() -> None:
    with Storage.of("mock:///bucket/out").alone():
        pass
