"""Sources by name, and one of one's own."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from kezako.gather import sources
from kezako.gather.settings import Settings
from kezako.gather.sources import known_sources, open_source
from kezako.recipe import SOURCES
from tests.gather.searching import search


@pytest.mark.parametrize("name", [*SOURCES, "urls"])
def test_every_source_opens_and_says_what_it_cannot_filter(name: str) -> None:
    source = open_source(name, Settings())
    assert source.name == name
    assert set(source.cannot_filter) <= {"licence", "photo only", "safe search"}


def test_an_unknown_name_brings_the_nearest_known_one() -> None:
    with pytest.raises(ValueError, match=r'no source "duckduck"; did you mean "duckduckgo"\?'):
        open_source("duckduck", Settings())


def test_an_outlandish_name_brings_the_list() -> None:
    with pytest.raises(ValueError, match=r"known are ddgs, duckduckgo, .*wikimedia, zip"):
        open_source("x" * 20, Settings())


def test_a_source_of_ones_own_in_the_ten_lines_of_the_docstring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_registry", dict(sources._registry))  # forgotten afterwards
    assert sources.__doc__
    lines = sources.__doc__.split("KEZAKO_SOURCES:\n")[1].split("and `sources")[0]
    (tmp_path / "zoo.py").write_text(textwrap.dedent(lines))
    monkeypatch.setenv("KEZAKO_SOURCES", str(tmp_path / "zoo.py"))
    found, stopped = search("zoo", Settings(), "panda", limit=2)
    assert [one.url for one in found] == [
        "https://zoo.example/panda/0.jpg",
        "https://zoo.example/panda/1.jpg",
    ]
    assert stopped is None
    assert "zoo" in known_sources()


def test_a_missing_file_of_sources_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEZAKO_SOURCES", "/nowhere/zoo.py")
    with pytest.raises(ValueError, match=r"KEZAKO_SOURCES names '/nowhere/zoo\.py'"):
        open_source("openverse", Settings())
