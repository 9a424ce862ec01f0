"""The page shows who made the pictures it learnt from, with links, where the bundle says so."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest

from kezako import page
from kezako.cli import main
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.gather.credits import _credit
from kezako.model.bundle import CREDITS, amend
from kezako.page.credits import MOST, as_html
from kezako.words import words


@pytest.fixture
def colours(a_bundle: Callable[..., Path], tmp_path: Path) -> Path:
    return a_bundle(tmp_path / "models", "colours", ("red", "green", "blue"))


def test_a_bundle_without_credits_shows_none(colours: Path) -> None:
    assert page.Credits(page.Choice(colours.parent, query="")).value == ""


def test_credits_are_shown_as_text(colours: Path) -> None:
    amend(colours, {CREDITS: b"Ann <script>alert(1)</script>, CC BY"})
    shown = page.Credits(page.Choice(colours.parent, query="")).value
    assert "Ann &lt;script&gt;" in shown
    assert "<script>" not in shown


HOSTILE = [
    "- [x](<javascript:alert(1)>) by Ann, CC BY",
    "- [x](<data:text/html,a>) by Ann",
    "- [x](<https://>) by Ann",
    "- [x](<//a.test/>) by Ann",
    "- [x](<https://[a.test/>) by Ann",
    "- [x](<https:\\\\a.test>) by Ann",
    "- [x](<https://a.test/\u202e>) by Ann",
    f"- [x](<https://a.test/{'a' * 3000}>) by Ann",
    "- [x](https://a.test) by Ann",
    "[x](<https://a.test>) by Ann",
    "![x](<https://a.test/track.png>)",
]


@pytest.mark.parametrize("line", HOSTILE)
def test_what_is_no_credit_stays_text(line: str) -> None:
    shown = as_html(line, words())
    assert "<a" not in shown
    assert "<img" not in shown
    assert "x" in shown


def test_a_credit_cannot_leave_its_place() -> None:
    shown = as_html('- [a](<https://a.test/"onmouseover=alert(1)>) by <b onclick=x>', words())
    (start, link) = shown.split("<a ")
    assert start == "<ul><li>"
    assert link.startswith('href="https://a.test/&quot;onmouseover=alert(1)" target="_blank" ')
    assert "<b" not in shown


def test_what_the_command_wrote_is_what_is_read() -> None:
    title = r"A <b>[bear]</b> & its \ *cub* `#1` &lt; $x$|_!"
    page_of_it = "https://a.test/?a=1&b=(2)"
    row = Row("a", title=title, creator="Ann & Co", licence="CC BY 2.0", page=page_of_it)
    assert as_html(_credit(row), words()) == (
        f'<ul><li><a href="{escape(page_of_it)}" target="_blank" '
        f'rel="noopener noreferrer nofollow">“{escape(title)}”</a> '
        "by Ann &amp; Co, CC BY 2.0</li></ul>"
    )


def test_headings_are_below_the_title_of_the_page() -> None:
    shown = as_html("# Pictures of bears\n\n## black\n\n### no heading of ours", words())
    assert shown == "<h2>Pictures of bears</h2><h3>black</h3><p>### no heading of ours</p>"


def test_very_many_credits_are_cut_at_a_line_and_that_is_said() -> None:
    shown = as_html("- “a” by Ann, CC BY\n" * 100_000, words())
    assert len(shown) < 2 * MOST
    assert shown.endswith(f"by Ann, CC BY</li></ul><p>{words()('credits_more')}</p>")


def test_the_command_writes_them_into_the_bundle(
    colours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEZAKO_HOME", str(tmp_path))
    folder = tmp_path / "data" / "colours"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text("[classes]\nred = []\ngreen = []\nblue = []\n")
    with Manifest(folder) as manifest:
        row = Row("red", url="https://a.test/1.jpg", sha256="ab" * 32, licence="CC BY 2.0")
        row.creator = "Ann"
        manifest.store(row, b"x")
    assert main(["credits", "colours"]) == 0
    shown = page.Credits(page.Choice(colours.parent, query="")).value
    assert '<a href="https://a.test/1.jpg" target="_blank"' in shown
    assert "“untitled”</a> by Ann, CC BY 2.0" in shown
