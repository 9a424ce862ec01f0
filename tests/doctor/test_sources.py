"""Each source is asked, and what it answers is told, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.doctor import sources
from kezako.doctor.finding import Finding
from kezako.gather import sources as gather
from tests.standin import Standin


def asked() -> dict[str, Finding]:
    return {one.what: one for one in sources.sources(offline=False)}


def test_sources_that_answer(a_web: Standin) -> None:
    found = asked()
    assert list(found) == ["duckduckgo", "ddgs", "openverse", "wikimedia"]
    assert {one.mark for one in found.values()} == {"ok"}, found


def test_each_one_that_does_not_says_why(a_web: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "SECONDS", 1.0)
    a_web.play("duckduckgo", status=403)
    a_web.play("openverse", status=429, retry_after=30)
    a_web.play("wikimedia", drop=True)
    found = asked()
    assert {one.mark for one in found.values()} == {"--"}
    assert "duckduckgo refuses our requests (403)" in found["duckduckgo"].found
    assert "duckduckgo refuses" in found["ddgs"].found
    assert "bing is left out" in found["ddgs"].found
    assert "openverse limits requests (429)" in found["openverse"].found
    assert "Try again later" in found["openverse"].advice
    assert "wikimedia cannot be reached" in found["wikimedia"].found
    assert "--from FOLDER" in found["wikimedia"].advice
    assert a_web.count("openverse") == 1  # a limit is told, not waited out


def test_a_site_that_keeps_its_line_open_is_left(
    a_web: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "ALTOGETHER", 0.5)
    a_web.play("openverse", drip=0.2)
    assert asked()["openverse"].found == "no answer within 0 seconds"


def test_a_source_of_ones_own_is_asked_too(
    a_web: Standin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bad.py").write_text(
        "from kezako.gather.sources import register\n"
        "@register('bad')\n"
        "class Bad:\n"
        "    name, cannot_filter = 'bad', ()\n"
        "    def __init__(self, settings): pass\n"
        "    def search(self, query, limit): return [1 / 0]\n"
    )
    monkeypatch.setenv("KEZAKO_SOURCES", str(tmp_path / "bad.py"))
    monkeypatch.setattr(gather, "_registry", dict(gather._registry))  # forgotten afterwards
    assert "ZeroDivisionError" in asked()["bad"].found


def test_offline_nobody_is_asked(a_web: Standin) -> None:
    (found,) = sources.sources(offline=True)
    assert "not asked: duckduckgo" in found.found
    assert not a_web.requests
