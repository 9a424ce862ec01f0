"""Everyone can use the page: axe finds nothing, in light and dark, before and after an answer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.needs import needs
from tests.page.photos import drawn
from tests.page.visitor import Visitor

pytestmark = pytest.mark.browser

SOURCE = Path(__file__).parents[2] / "frontend"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "rules => axe.run({ runOnly: rules })"


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core, of the version that the lock file names."""
    built = SOURCE / "node_modules" / "axe-core" / "axe.min.js"
    if not built.is_file():
        npm = shutil.which("npm")
        needs("Node.js", npm, "axe-core comes by npm")
        assert npm
        copy = tmp_path_factory.mktemp("axe")
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(SOURCE / name, copy)
        command = [npm, "ci", "--ignore-scripts"]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=240)
        needs("npm's registry", not done.returncode, done.stderr[-300:])
        built = copy / "node_modules" / "axe-core" / "axe.min.js"
    return built.read_text("utf-8")


def problems(page: Page) -> list[str]:
    found: dict[str, Any] = page.evaluate(RUN, RULES)
    return [
        f"{rule['id']}: {rule['help']}: {[node['html'] for node in rule['nodes']][:3]}"
        for rule in found["violations"]
    ]


@pytest.mark.parametrize("screen", ["a_phone", "a_phone_in_the_dark"])
def test_axe_finds_nothing(
    screen: str, request: pytest.FixtureRequest, axe: str, a_kezako_serve: str
) -> None:
    page: Page = request.getfixturevalue(screen)
    page.emulate_media(reduced_motion="reduce")
    visitor = Visitor(page).opens(a_kezako_serve + "?model=colours")
    expect(page.locator("html")).to_have_attribute("data-kezako", "live")
    page.evaluate(axe)
    assert problems(page) == []
    visitor.chooses("photo.jpg", drawn()).reads()
    assert problems(page) == []


def test_the_keyboard_can_do_everything(a_desk: Page, a_kezako_serve: str) -> None:
    # Listened for from here on, else Chromium may show one before it hears that somebody listens.
    a_desk.on("filechooser", lambda _: None)
    visitor = Visitor(a_desk).opens(a_kezako_serve + "?model=colours")
    expect(a_desk.locator("html")).to_have_attribute("data-kezako", "live")
    focused = "() => document.activeElement.type ?? document.activeElement.tagName"
    seen = []
    for _ in range(6):
        a_desk.keyboard.press("Tab")
        seen.append(a_desk.evaluate(focused))
        if seen[-1] == "file":
            break
    assert seen == ["select-one", "file"]
    outline = "document.querySelector('.widget-upload')"
    assert a_desk.evaluate(f"getComputedStyle({outline}).outlineStyle") == "solid"
    with a_desk.expect_file_chooser() as chooser:
        a_desk.keyboard.press("Enter")
    photo = {"name": "keys.jpg", "mimeType": "image/jpeg", "buffer": drawn()}
    chooser.value.set_files(photo)  # type: ignore[arg-type]
    expect(visitor.answer).to_have_text("This is red.")
    expect(visitor.answer).to_have_attribute("aria-live", "polite")
    expect(visitor.another).to_be_focused()  # the drop area that had the focus is gone
    with a_desk.expect_file_chooser() as chooser:
        a_desk.keyboard.press("Enter")
    photo["name"] = "more.jpg"
    chooser.value.set_files(photo)  # type: ignore[arg-type]
    expect(visitor.another).to_be_focused()
