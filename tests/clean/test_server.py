"""`kezako clean NAME --open`: the list, then the cleaner of NAME, from a wheel without a clone."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, expect

from kezako.clean.suspects import find_suspects
from kezako.cli import main
from kezako.workspace import Workspace
from tests.clean.maker import Maker
from tests.clean.pictures import fill
from tests.servers import serving, until

pytestmark = [pytest.mark.browser, pytest.mark.hosts]  # it builds a wheel


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of two recipes, and nothing else; the second one's pictures are measured."""
    home = tmp_path_factory.mktemp("workshop")
    for name in ("aquarium", "colours"):
        recipe = fill(Workspace(home), name, each=6, title=f"The {name}?")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEZAKO_WEIGHTS", "starter")  # no test reaches for a network
        find_suspects(recipe, Workspace(home))
    return home


@pytest.fixture(scope="module")
def installed(the_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel puts into site-packages."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=the_repository, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    ZipFile(wheel).extractall(folder / "site-packages")
    return folder / "site-packages"


@pytest.fixture(scope="module")
def opened(home: Path, installed: Path) -> Iterator[tuple[str, str]]:
    """The cleaner's address without its token, and the one that the browser was sent to."""
    told = home / "told"
    browser = home / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{told}.part" && mv "{told}.part" "{told}"\n')
    browser.chmod(0o755)
    for address in serving(
        ["-m", "kezako", "clean", "colours", "--top", "3", "--open", "--port", "{port}"],
        home,
        PYTHONPATH=str(installed),
        PYTHONSAFEPATH="1",  # this folder's own package is not the one that is tried
        BROWSER=f"{browser} %s",
        KEZAKO_WEIGHTS="starter",
    ):
        until(told.exists)
        yield address, told.read_text().strip()


def test_the_browser_shows_the_cleaner_of_that_name(a_desk: Page, opened: tuple[str, str]) -> None:
    address, told = opened
    assert told.startswith(f"{address}?token=")
    a_desk.goto(told, wait_until="commit")
    maker = Maker(a_desk)
    expect(a_desk.get_by_role("heading", name="The colours?")).to_be_visible()
    expect(maker.thumbnail(0)).to_be_visible()
    maker.keeps(0)
    maker.presses("Undo").sees([""] * 12)


def test_the_list_is_printed_first(home: Path, opened: tuple[str, str]) -> None:
    (log,) = home.glob("*.log")
    lines = [line for line in log.read_text().splitlines() if "picture/s" not in line]
    (where,) = (line for line in lines if line.startswith("The cleaner is at"))
    assert opened[1] in where
    assert sum("pictures/" in line for line in lines[: lines.index(where)]) == 3


def test_who_has_no_token_sees_no_picture(opened: tuple[str, str]) -> None:
    with urllib.request.urlopen(opened[0], timeout=60) as answer:
        assert "/login" in answer.url
        assert "kezako-cleaner" not in answer.read().decode()


@pytest.mark.parametrize("other", ["--auto", "--undo"])
def test_open_goes_with_the_list_alone(
    home: Path, other: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEZAKO_HOME", str(home))
    assert main(["clean", "colours", "--open", other]) == 2
    assert "without --auto and --undo" in capsys.readouterr().err
