"""Picture the page for the README: serve a classifier, send it a photo, look at two widths.

    python scripts/screenshots.py [NAME] PHOTO

Writes docs/page.png (a desk) and docs/phone.png. Needs Chromium.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SCREENS = {
    "page": {"viewport": {"width": 1280, "height": 860}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="bears", help="the classifier")
    parser.add_argument("photo", type=Path, help="the photo to send it")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "kezako", "serve", arguments.name, "--no-browser"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        address = re.search(r"http://\S+", server.stdout.readline())
        if not address:
            sys.exit("The page did not start.")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            for screen in SCREENS:
                picture(browser, screen, address[0], arguments.photo)
            browser.close()
    finally:
        server.terminate()
        server.wait()


def picture(browser: Browser, screen: str, address: str, photo: Path) -> None:
    """Write docs/SCREEN.png: the page after it has answered."""
    page = browser.new_page(**SCREENS[screen])
    page.goto(address, wait_until="commit")
    with page.expect_file_chooser() as chooser:
        page.locator(".widget-upload").click()
    chooser.value.set_files(photo)
    button = page.get_by_role("button", name="Classify", exact=True)
    expect(button).to_be_enabled(timeout=60_000)
    button.click()
    expect(page.locator(".kezako-bars li").first).to_be_visible(timeout=60_000)
    page.mouse.move(0, 0)
    image = Image.open(io.BytesIO(page.screenshot()))
    (ROOT / "docs").mkdir(exist_ok=True)
    # 256 colours: a third of the bytes, and no difference that one sees.
    image.quantize(256).save(ROOT / "docs" / f"{screen}.png", optimize=True)
    page.close()


if __name__ == "__main__":
    main()
