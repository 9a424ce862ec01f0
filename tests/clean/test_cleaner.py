"""The cleaner on a real Voilà: marks outlive a change of class and the server; undo; apply."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.workspace import Workspace
from tests.clean.maker import Maker
from tests.clean.pictures import a_picture, add_picture, fill
from tests.servers import serving

pytestmark = pytest.mark.browser


@dataclass
class Gathered:
    """The pictures of one recipe."""

    workspace: Workspace
    name: str

    def rows(self) -> list[Row]:
        """The manifest as it is now."""
        with Manifest(self.workspace.folder(self.name)) as manifest:
            return manifest.rows()


@pytest.fixture(scope="module")
def a_workshop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace for all tests of this file; each fills a recipe of its own."""
    return Workspace(tmp_path_factory.mktemp("workshop"))


@pytest.fixture(scope="module")
def the_cleaner(a_workshop: Workspace) -> Iterator[str]:
    """The address of the cleaner under plain Voilà."""
    yield from cleaning(a_workshop)


@pytest.fixture
def pictures(a_workshop: Workspace, request: pytest.FixtureRequest) -> Gathered:
    """Six pictures of each of three colours, in a recipe named after the test."""
    name = request.node.name.replace("[", " ").replace("]", "")
    fill(a_workshop, name, each=6)
    return Gathered(a_workshop, name)


def cleaning(workspace: Workspace) -> Generator[str, None, None]:
    command = ["-m", "voila", "notebooks/clean.ipynb", "--no-browser", "--port={port}"]
    yield from serving(command, workspace.root, KEZAKO_WEIGHTS="starter")


def test_marks_outlive_a_change_of_class_and_the_server(
    a_desk: Page, the_cleaner: str, pictures: Gathered
) -> None:
    maker = Maker(a_desk).opens(the_cleaner, pictures.name)
    maker.chooses_class("red")
    maker.deletes(0).moves(1, "green").keeps(2)
    marks = [row.mark for row in pictures.rows()[:3]]
    assert marks == ["delete", "move:green", "keep"], "committed before anything else is done"
    maker.chooses_class("blue").sees([""] * 6)
    maker.chooses_class("red").sees(["kz-delete", "kz-move", "kz-keep", "", "", ""])
    with closing(cleaning(pictures.workspace)) as another_server:
        maker = Maker(a_desk).opens(next(another_server), pictures.name).chooses_class("red")
        maker.sees(["kz-delete", "kz-move", "kz-keep", "", "", ""])
        expect(maker.counts).to_have_text("1 to delete, 1 to move, 1 kept")
        maker.shows("marked").sees(["kz-delete", "kz-move"])


def test_apply_moves_files_and_undo_brings_them_back(
    a_desk: Page, the_cleaner: str, pictures: Gathered
) -> None:
    folder = pictures.workspace.folder(pictures.name)
    before = {path.relative_to(folder) for path in folder.rglob("*.jpg")}
    maker = Maker(a_desk).opens(the_cleaner, pictures.name).chooses_class("red")
    maker.deletes(0).moves(1, "blue")
    maker.presses("Apply")
    expect(maker.notice).to_have_text("1 set aside, 1 moved to another class.")
    maker.sees([""] * 4)
    gone, moved, *_ = pictures.rows()
    assert (gone.status, moved.folder) == ("removed", "blue")
    assert {str(gone.file), str(moved.file)} <= {
        str(path.relative_to(folder)) for path in folder.rglob("*.jpg")
    }
    expect(maker.classes).to_have_text(
        ["all (17)", "red (4)", "green (6)", "blue (7)", "something-else (0)"]
    )
    maker.presses("Undo")
    expect(maker.notice).to_have_text("2 pictures are back, and marked as before.")
    maker.sees(["kz-delete", "kz-move", "", "", "", ""])
    assert {path.relative_to(folder) for path in folder.rglob("*.jpg")} == before


def test_a_mark_can_be_taken_back(a_desk: Page, the_cleaner: str, pictures: Gathered) -> None:
    maker = Maker(a_desk).opens(the_cleaner, pictures.name).chooses_class("red")
    maker.deletes(0).keeps(0).sees(["kz-keep", *[""] * 5])
    maker.presses("Undo").sees(["kz-delete", *[""] * 5])
    maker.presses("Undo").sees([""] * 6)
    expect(maker.button("Undo")).to_be_disabled()
    maker.deletes(0).sees(["kz-delete", *[""] * 5])
    maker.deletes(0).sees([""] * 6)
    assert pictures.rows()[0].mark is None


def test_keys_do_what_buttons_do(a_desk: Page, the_cleaner: str, pictures: Gathered) -> None:
    maker = Maker(a_desk).opens(the_cleaner, pictures.name).chooses_class("red")
    a_desk.evaluate("document.activeElement.blur()")
    for index, key in enumerate("dk23"):
        a_desk.keyboard.press("ArrowRight")
        expect(maker.thumbnail(index).locator("button").first).to_be_focused()
        a_desk.keyboard.press(key)
    maker.sees(["kz-delete", "kz-keep", "kz-move", "kz-move", "", ""])
    assert [row.mark for row in pictures.rows()[:4]] == [
        "delete",
        "keep",
        "move:green",
        "move:blue",
    ]
    a_desk.keyboard.press("u")
    maker.sees(["kz-delete", "kz-keep", "kz-move", "", "", ""])
    maker.chooses_class(None)
    expect(maker.page_number).to_have_text("Page 1 of 2")
    a_desk.evaluate("document.activeElement.blur()")
    a_desk.keyboard.press("n")
    expect(maker.page_number).to_have_text("Page 2 of 2")


def test_suspects_come_first_with_their_reasons(
    a_desk: Page, the_cleaner: str, pictures: Gathered
) -> None:
    with Manifest(pictures.workspace.folder(pictures.name)) as manifest:
        add_picture(manifest, "blue", a_picture("red", 50))
    maker = Maker(a_desk).opens(the_cleaner, pictures.name)
    maker.presses("Look for suspects")
    expect(maker.thumbnail(0)).to_contain_text("looks like red")
    expect(maker.thumbnail(0).locator(".kz-class")).to_contain_text("blue")


@pytest.mark.parametrize("screen", ["a_phone", "a_desk"])
def test_fingers_reach_everything(
    screen: str, request: pytest.FixtureRequest, the_cleaner: str, pictures: Gathered
) -> None:
    page: Page = request.getfixturevalue(screen)
    maker = Maker(page).opens(the_cleaner, pictures.name)
    assert maker.shown == 12
    targets = page.locator(".kezako-cleaner button:visible, .kezako-cleaner select:visible")
    boxes = [target.bounding_box() for target in targets.all()]
    assert len(boxes) > 3 * 12
    assert all(box and min(box["width"], box["height"]) >= 44 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    width = maker.thumbnail(0).locator("img").evaluate("image => image.clientWidth")
    assert width >= 240, "thumbnails are large"
    if screen == "a_phone":
        maker.button("Delete").first.tap()
        expect(maker.thumbnail(0)).to_have_class(re.compile("kz-delete"))
