"""README's table says what the benchmarks measured, by the command that measured it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import record
from scripts import figures


def test_the_readme_shows_what_is_kept(the_repository: Path) -> None:
    page = (the_repository / "README.md").read_text("utf-8")
    assert figures.rendered(page) == page, "run: python scripts/figures.py"


def test_every_kept_figure_names_its_command_and_date(the_repository: Path) -> None:
    files = sorted(record.FOLDER.glob("*.json"))
    assert files
    for file in files:
        for name, part in json.loads(file.read_text("utf-8")).items():
            script = part["command"].split()[1]
            assert script == f"benchmarks/{file.stem}.py", (file, name)
            assert (the_repository / script).is_file()
            assert part["date"] >= "2026-11-21"
            assert part["figures"]


@pytest.fixture
def _run_as(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = ["/elsewhere/serve.py", "--rounds", "7", "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)


@pytest.mark.usefixtures("_run_as")
def test_a_run_keeps_its_part_and_leaves_the_others(tmp_path: Path) -> None:
    record.keep(tmp_path, "page", {"kezako": {"usable s": 0.3218765}, "all": True})
    record.keep(tmp_path, "memory", {"MB": [1, 2.00004]})
    record.keep(tmp_path, "page", {"kezako": {"usable s": 0.4}})
    parts = record.read("serve", tmp_path)
    assert list(parts) == ["page", "memory"]
    assert parts["page"]["figures"] == {"kezako": {"usable s": 0.4}}
    assert parts["memory"]["figures"] == {"MB": [1, 2.0]}
    assert parts["page"]["command"] == "python benchmarks/serve.py --rounds 7"
    assert parts["page"]["versions"]["python"].startswith("3.")
    assert [file.name for file in tmp_path.iterdir()] == ["serve.json"]


def test_a_changed_figure_changes_the_table(tmp_path: Path) -> None:
    for file in record.FOLDER.glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    before = figures.table(tmp_path)
    path = tmp_path / "serve.json"
    parts = json.loads(path.read_text("utf-8"))
    parts["page"]["figures"]["kezako"]["usable s"] = 0.123
    parts["page"]["command"] = "python benchmarks/serve.py --part page"
    path.write_text(json.dumps(parts), "utf-8")
    changed = set(figures.table(tmp_path).splitlines()) - set(before.splitlines())
    assert any("| 0.12 |" in line and "serve.py --part page" in line for line in changed)
