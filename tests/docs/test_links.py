"""Links inside the repository lead somewhere: to a file that is committed, to a heading in it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.conftest import ROOT
from tests.docs.markdown import anchors, links

LISTED = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
COMMITTED = set(
    subprocess.run(LISTED, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
)
PAGES = sorted(
    name
    for name in COMMITTED
    if name.endswith((".md", ".ipynb")) and not name.startswith("kezako/")  # those are templates
)


@pytest.mark.parametrize("name", PAGES)
def test_its_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    broken = [link for link in links(page) if not leads_somewhere(page, link)]
    assert not broken


def leads_somewhere(page: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return parts.scheme in ("http", "https") and bool(parts.netloc)
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    inside = target.relative_to(ROOT).as_posix()
    if not (inside in COMMITTED or any(other.startswith(f"{inside}/") for other in COMMITTED)):
        return False
    return not parts.fragment or (target.suffix == ".md" and parts.fragment in anchors(target))


def test_every_how_to_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    named = {link.split("#")[0] for link in links(index)}
    pages = {name.removeprefix("docs/") for name in PAGES if name.startswith("docs/")}
    assert pages - {"README.md"} <= named


def test_a_broken_link_would_be_seen(tmp_path: Path) -> None:
    page = ROOT / "README.md"
    assert leads_somewhere(page, "docs/api.md#settings")
    assert not leads_somewhere(page, "docs/api.md#no-such-heading")
    assert not leads_somewhere(page, "docs/lost.md")
    assert not leads_somewhere(page, "build/")
