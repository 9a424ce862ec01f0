"""Real servers, a real browser, and small real classifiers that tell colours apart."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from kezako.bundle import MODEL

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "app.ipynb"
DEADLINE = 60  # seconds that a server or a page may take on a busy machine
HOSTILE = ("<script>document.title='taken'</script>", "$x^2$", "<img src=x onerror=alert(1)>")


@pytest.fixture(scope="session")
def a_workspace(tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]) -> Path:
    """Two or more classifiers, one with hostile class names, beside the shipped bears."""
    home = tmp_path_factory.mktemp("workspace")
    models = home / "models"
    a_bundle(models, "colours", ("red", "green", "blue"))
    a_bundle(models, "hostile", HOSTILE, title="<b>bold</b>")
    a_bundle(models, "tints", ("red", "green", "blue"), task="multi")
    a_bundle(models, "starter", ("a", "b"))
    (a_bundle(models, "worn", ("a", "b")) / MODEL).write_bytes(b"cut short")
    if (ROOT / "models" / "bears").is_dir():
        shutil.copytree(ROOT / "models" / "bears", models / "bears")
    return home


@pytest.fixture(scope="session")
def a_voila(a_workspace: Path) -> Iterator[str]:
    """The address of the page under plain Voilà."""
    yield from _serving(
        ["-m", "voila", str(NOTEBOOK.relative_to(ROOT)), "--no-browser", "--port={port}"],
        a_workspace,
    )


@pytest.fixture(scope="session")
def a_kezako_serve(a_workspace: Path) -> Iterator[str]:
    """The address of the page under `kezako serve`."""
    yield from _serving(["-m", "kezako", "serve", "--no-browser", "--port", "{port}"], a_workspace)


@pytest.fixture(scope="session")
def a_jupyter_server(a_workspace: Path) -> Iterator[str]:
    """The address of the page under a Jupyter server."""
    token = "a-token-of-this-test"
    for address in _serving(
        ["-m", "jupyter_server", "--no-browser", "--ServerApp.port={port}",
         "--ServerApp.ip=127.0.0.1",
         "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", "--allow-root",
         f"--ServerApp.root_dir={ROOT}"],
        a_workspace, path="api/status?token=" + token,
    ):  # fmt: skip
        yield f"{address}voila/render/notebooks/app.ipynb?token={token}"


@pytest.fixture(scope="session")
def a_browser() -> Iterator[Browser]:
    """Chromium, headless."""
    chromium = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        except Exception as error:
            pytest.skip(f"Chromium does not start here: {error}")
        yield browser
        browser.close()


@pytest.fixture
def a_desk(a_browser: Browser) -> Iterator[Page]:
    """A page on a desk, 1280 pixels wide."""
    yield from _screen(a_browser, viewport={"width": 1280, "height": 900})


@pytest.fixture
def a_phone(a_browser: Browser) -> Iterator[Page]:
    """A page on a phone, 390 pixels wide."""
    yield from _screen(
        a_browser,
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        device_scale_factor=3,
    )


@pytest.fixture(scope="module")
def one_desk(a_browser: Browser) -> Iterator[Page]:
    """One page for all tests of a file, so that each shows that it survived those before."""
    yield from _screen(a_browser, viewport={"width": 1280, "height": 900})


def _screen(browser: Browser, **settings: Any) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(**settings)
    context.route(
        lambda url: "//127.0.0.1:" not in url and "//localhost:" not in url,
        lambda route: route.abort(),
    )  # no test reaches outside
    context.set_default_timeout(DEADLINE * 1000)
    yield context.new_page()
    context.close()


def _serving(arguments: list[str], home: Path, path: str = "voila/static/") -> Iterator[str]:
    port = _an_unused_port()
    command = [sys.executable, *(part.format(port=port) for part in arguments)]
    environment = {
        **os.environ,
        "KEZAKO_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(ROOT / "etc" / "jupyter"),
    }
    log = home / f"{port}.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/{path}", server, log)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"The server did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _an_unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
