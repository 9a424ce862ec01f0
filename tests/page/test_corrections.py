"""A visitor's correction, from the page to the cleaner; and none of it unless it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kezako.dataset.manifest import Manifest
from kezako.workspace import Workspace
from tests.clean.maker import Maker
from tests.clean.pictures import COLOURS, a_picture, fill
from tests.page.photos import drawn
from tests.page.visitor import Visitor
from tests.servers import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def a_makers_workspace(
    tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]
) -> Workspace:
    """A classifier of colours beside the pictures that it learnt from."""
    workspace = Workspace(tmp_path_factory.mktemp("maker"))
    fill(workspace, "colours", each=3)
    a_bundle(workspace.models, "colours", tuple(sorted(COLOURS)))
    return workspace


@pytest.fixture(scope="module")
def a_page_that_listens(a_makers_workspace: Workspace) -> Iterator[str]:
    """The page, by a maker who wants corrections."""
    command = ["-m", "voila", "notebooks/app.ipynb", "--no-browser", "--port={port}"]
    yield from serving(command, a_makers_workspace.root, KEZAKO_CORRECTIONS="1")


@pytest.fixture(scope="module")
def the_cleaner(a_makers_workspace: Workspace) -> Iterator[str]:
    command = ["-m", "voila", "notebooks/clean.ipynb", "--no-browser", "--port={port}"]
    yield from serving(command, a_makers_workspace.root)


def test_by_default_a_photo_is_forgotten(a_desk: Page, a_voila: str, a_workspace: Path) -> None:
    visitor = Visitor(a_desk).opens(a_voila + "?model=colours")
    visitor.chooses("red.jpg", drawn())
    visitor.reads()
    expect(a_desk.locator(".kezako-promise")).to_have_text(
        "Your photo is classified, then forgotten."
    )
    expect(a_desk.get_by_role("button", name="That’s wrong")).to_have_count(0)
    assert not list(a_workspace.rglob("corrections"))


def test_a_correction_becomes_a_picture(
    a_phone: Page,
    a_desk: Page,
    a_page_that_listens: str,
    the_cleaner: str,
    a_makers_workspace: Workspace,
) -> None:
    visitor = Visitor(a_phone).opens(a_page_that_listens)
    expect(a_phone.locator(".kezako-promise")).to_contain_text("unless you send it back")
    visitor.chooses("mine.jpg", a_picture("red", 77))
    said = visitor.reads()
    visitor.says_wrong("green")
    expect(a_phone.locator(".kezako-correction")).to_have_text(
        "Thank you: your photo and your answer were kept."
    )
    folder = a_makers_workspace.folder("colours")
    with Manifest(folder) as manifest:
        (row,) = manifest.rows(source="correction")
    assert (row.folder, row.status) == ("green", "offered")
    assert row.reason == f"a visitor says: green; the page said: {said}"
    for path in (str(row.file), "data/colours/" + str(row.file)):
        assert a_phone.request.get(f"{a_page_that_listens}voila/files/{path}").status in (403, 404)

    maker = Maker(a_desk).opens(the_cleaner, "colours")
    expect(maker.thumbnail(0)).to_contain_text("a visitor says: green")
    maker.accepts(0).presses("Apply")
    expect(maker.notice).to_have_text("1 taken in from visitors.")
    with Manifest(folder) as manifest:
        (accepted,) = manifest.rows(id=row.id)
    assert (accepted.folder, accepted.status) == ("green", "kept")
    assert accepted.split in ("train", "valid")
    assert accepted.phash
    assert (folder / str(accepted.file)).parent == folder / "pictures" / "green"
    assert not list((folder / "corrections").iterdir())


def test_nothing_is_sent_without_class_and_consent(a_desk: Page, a_page_that_listens: str) -> None:
    visitor = Visitor(a_desk).opens(a_page_that_listens)
    visitor.chooses("red.jpg", drawn())
    visitor.reads()
    a_desk.get_by_role("button", name="That’s wrong").click()
    send = a_desk.get_by_role("button", name="Send it back")
    expect(send).to_be_disabled()
    a_desk.locator(".kezako-correction select").select_option(label="none of these")
    expect(send).to_be_disabled()
    a_desk.get_by_role("checkbox").check()
    expect(send).to_be_enabled()
    a_desk.get_by_role("checkbox").uncheck()
    expect(send).to_be_disabled()
