"""A list of addresses that a person wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kezako.gather.settings import Settings
from tests.gather.searching import search

LIST = """\ufeff# bears that I like
https://a.test/1.jpg
  http://b.test/2.jpg#top

ftp://c.test/3.jpg
not an address
https://a.test/4.jpg
"""


@pytest.fixture
def here(tmp_path: Path, said: list[str]) -> Settings:
    (tmp_path / "urls").mkdir()
    return replace(Settings(say=said.append), data=tmp_path, folder="black")


def test_reads_the_list_of_the_class(here: Settings, tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "urls" / "black.txt").write_text(LIST, encoding="utf-8")
    found, stopped = search("urls", here)
    assert [one.url for one in found] == [
        "https://a.test/1.jpg",
        "http://b.test/2.jpg#top",
        "https://a.test/4.jpg",
    ]
    assert stopped
    assert stopped.kind == "empty"
    assert "3 addresses, 2 lines left out" in str(stopped)
    assert "line 5" in said[0]
    assert "line 6" in said[1]


def test_stops_at_the_limit(here: Settings, tmp_path: Path) -> None:
    (tmp_path / "urls" / "black.txt").write_text(LIST, encoding="utf-8")
    found, stopped = search("urls", here, limit=2)
    assert len(found) == 2
    assert stopped is None


def test_a_missing_list_names_the_file_to_write(here: Settings) -> None:
    _, stopped = search("urls", here)
    assert stopped
    assert stopped.kind == "empty"
    assert "black.txt" in str(stopped)


def test_a_list_that_is_no_text(here: Settings, tmp_path: Path) -> None:
    (tmp_path / "urls" / "black.txt").write_bytes(b"\xff\xfe\x00broken\x9f")
    _, stopped = search("urls", here)
    assert stopped
    assert stopped.kind == "broken"
    assert "UTF-8" in str(stopped)


def test_another_folder_of_lists(here: Settings, tmp_path: Path) -> None:
    (tmp_path / "black.txt").write_text("https://a.test/9.jpg\n")
    found, _ = search("urls", replace(here, lists=tmp_path))
    assert [one.url for one in found] == ["https://a.test/9.jpg"]
