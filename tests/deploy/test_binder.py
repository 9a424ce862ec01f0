"""Binder's way: build as repo2docker does, follow the launch links in a browser."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.deploy.binder import address, base_packages, build, landing, launched
from tests.deploy.environments import copy_environment
from tests.page.photos import drawn
from tests.page.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.hosts]

DOCUMENT = Path(__file__).parents[2] / "docs" / "binder.md"
PAGE, TRAINING = re.findall(r"https://mybinder\S+urlpath=\S+", DOCUMENT.read_text("utf-8"))
CULLING = (
    "--MappingKernelManager.cull_idle_timeout=15",  # seconds; at Binder 600
    "--MappingKernelManager.cull_interval=1",
    "--MappingKernelManager.cull_connected=True",
)


@pytest.fixture(scope="module")
def the_base(a_bare_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment that repo2docker begins with."""
    base = copy_environment(a_bare_environment, tmp_path_factory.mktemp("binder") / "base")
    subprocess.run(
        [base / "bin" / "python", "-m", "pip", "install", "--quiet", *base_packages("3.11")],
        check=True,
    )
    return base


def test_the_links_of_this_repository(
    a_desk: Page, the_base: Path, a_clone: Callable[..., Path], tmp_path: Path
) -> None:
    repository = a_clone(tmp_path / "repository")
    environment = copy_environment(the_base, tmp_path / "python")
    build(repository, environment)
    with launched(repository, environment, *CULLING) as server:
        visitor = Visitor(a_desk).opens(landing(server, PAGE))
        expect(a_desk.locator("html")).to_have_attribute("data-kezako", "live")
        assert visitor.chooses("photo.jpg", drawn()).reads()
        expect(a_desk.get_by_text("This page has been asleep for too long.")).to_be_visible()
        expect(a_desk.get_by_role("button", name="Start again")).to_be_visible()
        a_desk.goto(landing(server, TRAINING), wait_until="commit")
        heading = a_desk.get_by_role("heading", name="From a few names to a classifier")
        expect(heading).to_be_visible()


def test_a_written_folder_by_its_link_and_by_the_button_of_jupyterlab(
    a_desk: Page, the_base: Path, deployed: Callable[[str, Path], Path], tmp_path: Path
) -> None:
    repository = deployed("binder", tmp_path / "repository")
    environment = copy_environment(the_base, tmp_path / "python")
    build(repository, environment)
    (link,) = re.findall(r"https://mybinder\S+", (repository / "README.md").read_text("utf-8"))
    with launched(repository, environment) as server:
        visitor = Visitor(a_desk).opens(landing(server, link))
        expect(a_desk.locator("html")).to_have_attribute("data-kezako", "live")
        assert visitor.chooses("photo.jpg", drawn()).reads()
        a_desk.goto(address(server, "lab/tree/notebooks/app.ipynb"), wait_until="commit")
        a_desk.locator(".jp-NotebookPanel-toolbar [title^='Render with Voil']").click()
        a_desk.get_by_role("button", name="Render anyway").click()
        page = a_desk.frame_locator("iframe[src*='/voila/render/notebooks/app.ipynb']")
        expect(page.locator(".widget-upload")).to_be_visible()
