"""Take the screenshots of Kezako for the README and the how-tos; takes some minutes.

    python scripts/screenshots.py [NAME ...]

Writes docs/NAME.png: page (desktop) and phone, where a drawn face is classified; waiting, the
waiting page when all places are taken; cleaner; gather. Everything is drawn and trained in
temporary folders, so no picture belongs to anybody. Needs Chromium and the extras train and dev.
"""

from __future__ import annotations

import argparse
import atexit
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for the stand-in web of the tests

from kezako.gather.sample import CLASSES, draw_face  # noqa: E402
from tests.browser import CHROMIUM  # noqa: E402

DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 664},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
PATIENCE = 120_000  # milliseconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PICTURES)}; all")
    names = parser.parse_args().names or list(PICTURES)
    if unknown := set(names) - set(PICTURES):
        parser.error(f"{unknown.pop()!r} is no picture; known are {', '.join(PICTURES)}")
    for name in names:
        PICTURES[name]()
        print(ROOT / "docs" / f"{name}.png", flush=True)


def page() -> None:
    with running(trained(), "serve", "smileys") as address, a_page(DESK) as screen:
        answered(screen, address)
        save("page", screen.screenshot(full_page=True))


def phone() -> None:
    with running(trained(), "serve", "smileys") as address, a_page(PHONE) as screen:
        answered(screen, address)
        save("phone", screen.screenshot(full_page=True))


def waiting() -> None:
    """The second visitor of a page with one place."""
    command = ("serve", "smileys", "--visitors", "1")
    with running(trained(), *command) as address, a_page(DESK) as first:
        answered(first, address)
        assert first.context.browser
        second = first.context.browser.new_page(viewport={"width": 800, "height": 300})
        second.goto(address, wait_until="commit")
        expect(second.locator("h1").first).to_be_visible(timeout=PATIENCE)
        save("waiting", second.screenshot())


def cleaner() -> None:
    """Some faces are in the wrong class."""
    home = a_folder()
    for mood, there in zip(CLASSES, [*CLASSES[1:], CLASSES[0]], strict=True):
        for number in range(40):
            folder = home / "saved" / (there if number < 3 else mood)
            folder.mkdir(parents=True, exist_ok=True)
            draw_face(mood, number).save(folder / f"{mood}-{number}.jpg")
    kezako(home, "new", "faces", "--classes", ",".join(CLASSES))
    kezako(home, "gather", "faces", "--from", str(home / "saved"))
    with running(home, "clean", "faces", "--open") as address, a_page(DESK) as screen:
        screen.goto(address)
        expect(screen.locator(".kz-grid img").first).to_be_visible(timeout=PATIENCE)
        screen.wait_for_load_state("networkidle")
        save("cleaner", screen.screenshot())


def gather() -> None:
    """The result of a search, as the training notebook shows it."""
    from kezako.gather import gather as gathered
    from kezako.gather.new import new_recipe
    from kezako.gather.plots import plot_yield, show_first
    from kezako.workspace import Workspace
    from tests.standin import Standin

    workspace = Workspace(a_folder())
    path = new_recipe(workspace, "vases", ["amphora", "lekythos", "krater"])
    path.write_text("pictures_per_class = 40\n" + path.read_text("utf-8"), "utf-8")
    standin = Standin(photos=None, failures=0.2, drawn=60).start()
    try:
        recipe = workspace.recipe("vases")
        summary = gathered(recipe, workspace, settings=standin.settings())
    finally:
        standin.stop()
    save("gather", *map(drawn, (show_first(recipe, workspace), plot_yield(summary).figure)))


PICTURES: dict[str, Callable[[], None]] = {
    "page": page,
    "phone": phone,
    "waiting": waiting,
    "cleaner": cleaner,
    "gather": gather,
}


@cache
def trained() -> Path:
    """A workspace with a classifier of drawn faces."""
    home = a_folder()
    kezako(home, "sample", "smileys")
    kezako(home, "train", "smileys")
    return home


def a_folder() -> Path:
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder).resolve()


def answered(screen: Page, address: str) -> None:
    """Send a face that the classifier was not trained on, and wait for the answer."""
    photo = a_folder() / "face.png"
    face = draw_face("surprised", 5, seed=7)
    face.resize((2 * face.width, 2 * face.height)).save(photo)
    screen.goto(address, wait_until="commit")
    with screen.expect_file_chooser() as chooser:
        screen.locator(".widget-upload").click()
    chooser.value.set_files(photo)
    expect(screen.locator(".kezako-bars li").first).to_be_visible(timeout=PATIENCE)
    screen.wait_for_load_state("networkidle")
    screen.mouse.move(0, 0)


def kezako(home: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "kezako", *arguments]
    subprocess.run(command, cwd=home, env=environment(home), check=True, capture_output=True)


@contextmanager
def running(home: Path, *arguments: str) -> Iterator[str]:
    """Run a command that serves; yields the URL that it prints."""
    command = [sys.executable, "-m", "kezako", *arguments, "--no-browser"]
    server = subprocess.Popen(
        command, cwd=home, env=environment(home), stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        for line in server.stdout:
            if address := re.search(r"http://\S+", line):
                yield address[0]
                return
        sys.exit(f"{' '.join(command)} did not start.")
    finally:
        server.terminate()
        server.wait()


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "KEZAKO_HOME": str(home)}


@contextmanager
def a_page(screen: dict[str, Any]) -> Iterator[Page]:
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, CHROMIUM)), None)
        browser: Browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser.new_page(**screen)
        browser.close()


def drawn(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, dpi=80, bbox_inches="tight")
    return file.getvalue()


def save(name: str, *pictures: bytes) -> None:
    """Write docs/NAME.png from one or more pictures, one below the other."""
    parts = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    size = max(part.width for part in parts), sum(part.height for part in parts)
    whole, top = Image.new("RGB", size, "white"), 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    # 256 colours: a third of the bytes, without a visible difference.
    whole.quantize(256).save(ROOT / "docs" / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
