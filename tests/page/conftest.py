"""Real servers, a real browser, and small real classifiers that tell colours apart."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from kezako.model.bundle import MODEL
from tests.browser import a_screen
from tests.looking import tells_why
from tests.servers import serving

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "app.ipynb"
HOSTILE = ("<script>document.title='taken'</script>", "$x^2$", "<img src=x onerror=alert(1)>")


@pytest.fixture(scope="session")
def a_workspace(tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]) -> Path:
    """Two or more classifiers, one with hostile class names, beside the shipped bears."""
    home = tmp_path_factory.mktemp("workspace")
    models = home / "models"
    a_bundle(models, "colours", ("red", "green", "blue"))
    a_bundle(models, "hostile", HOSTILE, title="<b>bold</b>")
    a_bundle(models, "tints", ("red", "green", "blue"), task="multi")
    tells_why(a_bundle(models, "looking", ("red", "green", "blue")))
    a_bundle(models, "starter", ("a", "b"))
    (a_bundle(models, "worn", ("a", "b")) / MODEL).write_bytes(b"cut short")
    shutil.copytree(ROOT / "models" / "bears", models / "bears")
    return home


@pytest.fixture(scope="session")
def a_voila(a_workspace: Path) -> Iterator[str]:
    """The address of the page under plain Voilà."""
    yield from serving(
        ["-m", "voila", str(NOTEBOOK.relative_to(ROOT)), "--no-browser", "--port={port}"],
        a_workspace,
    )


@pytest.fixture(scope="session")
def a_kezako_serve(a_workspace: Path) -> Iterator[str]:
    """The address of the page under `kezako serve`."""
    yield from serving(["-m", "kezako", "serve", "--no-browser", "--port", "{port}"], a_workspace)


@pytest.fixture(scope="session")
def a_jupyter_server(a_workspace: Path) -> Iterator[str]:
    """The address of the page under a Jupyter server."""
    token = "a-token-of-this-test"
    for address in serving(
        ["-m", "jupyter_server", "--no-browser", "--ServerApp.port={port}",
         "--ServerApp.ip=127.0.0.1",
         "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", "--allow-root",
         f"--ServerApp.root_dir={ROOT}"],
        a_workspace, "api/status?token=" + token,
    ):  # fmt: skip
        yield f"{address}voila/render/notebooks/app.ipynb?token={token}"


@pytest.fixture(scope="module")
def one_desk(a_browser: Browser) -> Iterator[Page]:
    """One page for all tests of a file, so that each shows that it survived those before."""
    yield from a_screen(a_browser, viewport={"width": 1280, "height": 900})
