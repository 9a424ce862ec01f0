"""The light front end under plain Voilà, on a phone, and a network that can fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import a_screen
from tests.frontend.network import Network
from tests.page.conftest import a_kezako_serve, a_workspace, one_desk  # noqa: F401
from tests.servers import serving
from voila_snapshot import template

ROOT = Path(__file__).parents[2]
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def a_light_voila(a_workspace: Path) -> Iterator[str]:  # noqa: F811
    """The address of the page under plain Voilà with the template `kezako`."""
    yield from light_voila(ROOT / "notebooks" / "app.ipynb", a_workspace)


@pytest.fixture
def a_network(a_kezako_serve: str) -> Iterator[Network]:  # noqa: F811
    """Between browser and `kezako serve`; it counts what passes, and can be cut."""
    with Network(a_kezako_serve) as network:
        yield network


@pytest.fixture
def a_phone_in_the_dark(a_browser: Browser) -> Iterator[Page]:
    yield from a_screen(a_browser, viewport=PHONE, color_scheme="dark")


def light_voila(notebook: Path, home: Path) -> Iterator[str]:
    arguments = ["-m", "voila", str(notebook), "--template=kezako", "--no-browser"]
    yield from serving(
        [*arguments, "--port={port}"], home, JUPYTER_PATH=str(template.FOLDER),
    )  # fmt: skip
