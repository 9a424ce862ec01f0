"""The template in a Jupyter server, at /voila/render."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.photos import drawn
from tests.page.visitor import Visitor
from tests.servers import DEADLINE, serving
from voila_snapshot import template

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-this-test"


@pytest.fixture
def a_jupyter(a_workspace: Path) -> Iterator[str]:
    """The address of a Jupyter server whose pages have the template."""
    yield from serving(
        ["-m", "jupyter_server", "--no-browser", "--ServerApp.port={port}", "--allow-root",
         "--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={TOKEN}",
         "--VoilaConfiguration.template=kezako", f"--ServerApp.root_dir={ROOT}"],
        a_workspace, path=f"api/status?token={TOKEN}", JUPYTER_PATH=str(template.FOLDER),
    )  # fmt: skip


def kernels(address: str) -> int:
    with urllib.request.urlopen(f"{address}api/kernels?token={TOKEN}", timeout=DEADLINE) as reply:
        return len(json.load(reply))


def test_a_photo_gets_its_answer_and_the_kernel_ends(a_phone: Page, a_jupyter: str) -> None:
    page = f"{a_jupyter}voila/render/notebooks/app.ipynb?token={TOKEN}&model=colours"
    visitor = Visitor(a_phone).opens(page)
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    assert visitor.chooses("my photo.jpg", drawn()).reads() == "This is red."
    assert kernels(a_jupyter) == 1
    a_phone.goto("about:blank")
    end = time.monotonic() + DEADLINE
    while kernels(a_jupyter):
        assert time.monotonic() < end
        time.sleep(0.1)
