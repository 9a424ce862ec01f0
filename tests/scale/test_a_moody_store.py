"""A store that fails now and then costs no picture, and no part of the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs_package

pa = needs_package("pyarrow")
fs = needs_package("pyarrow.fs")
local = needs_package("fsspec.implementations.local")

from kezako.scale import storage
from kezako.scale.storage import Storage


class Moody(local.LocalFileSystem):  # type: ignore[misc,name-defined]
    """Fails to open anything so many times."""

    cachable = False  # each one has moods of its own

    def __init__(self, failures: int):
        super().__init__()
        self.failures = failures

    def open(self, path: str, *args: Any, **settings: Any) -> Any:
        if self.failures:
            self.failures -= 1
            raise OSError("AWS Error NETWORK_CONNECTION: Timeout was reached")
        return super().open(path, *args, **settings)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "PAUSES", (0.0, 0.0))


def a_place(folder: Path, failures: int) -> Storage:
    return Storage(fs.PyFileSystem(fs.FSSpecHandler(Moody(failures))), str(folder), "moody://place")


@pytest.mark.parametrize("failures", [0, 2])
def test_a_picture_is_read_all_the_same(tmp_path: Path, failures: int) -> None:
    (tmp_path / "a.png").write_bytes(b"a picture")
    assert a_place(tmp_path, failures).read("a.png") == b"a picture"


def test_what_fails_again_and_again_has_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a picture")
    assert a_place(tmp_path, 3).read("a.png") == {"refused": "The file 'a.png' cannot be read."}


def test_what_is_not_there_is_asked_for_once(tmp_path: Path) -> None:
    place = a_place(tmp_path, 1)
    assert place.read("a.png") == {"refused": "The file 'a.png' cannot be read."}
    assert place.system.handler.fs.failures == 1


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(b"a picture")
    monkeypatch.setattr(storage, "LARGEST", 8)
    refused = a_place(tmp_path, 0).read("a.png")
    assert isinstance(refused, dict)
    assert "too large" in refused["refused"]


def test_answers_are_written_all_the_same(tmp_path: Path) -> None:
    place = a_place(tmp_path, 2)
    place.write("part.parquet", pa.table({"path": ["a.png"]}))
    assert [table.to_pylist() for table in place.tables(["path"])] == [[{"path": "a.png"}]]
