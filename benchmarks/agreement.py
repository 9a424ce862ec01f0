"""Whether the page, the API and `kezako predict` answer alike for large photos.

    python benchmarks/agreement.py                # 200 photos of more than 1024 pixels
    python benchmarks/agreement.py --photos 12    # short

The page shrinks a large photo in the browser before it is sent; the API and the command get the
whole file. Each photo goes through all three: through the page of `kezako serve` in Chromium, as a
POST to its API, and through `kezako predict`. The labels and "none of these" are to be the same,
and no probability is to differ by 0.05 or more. Printed, too: the bytes that were sent, and how
long the browser takes for a photo of 12 megapixels.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402
from benchmarks.serving import peers  # noqa: E402
from benchmarks.serving.camera import taken  # noqa: E402
from benchmarks.serving.chromium import WAIT, chromium  # noqa: E402
from kezako.gather.sample import CLASSES, draw_face  # noqa: E402
from kezako.model.bundle import read_card  # noqa: E402

PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos"))
HELD = 0.05  # the most that a probability may differ
TWELVE = 4000  # pixels of the longest side of a photo of 12 megapixels, 4 : 3
NONE = ""  # the label of "none of these"
NAMES = read_card(peers.BUNDLE).names  # label -> what the page calls it, where it differs
# Where a page stores how many bytes it has sent, and how long the browser took before.
WATCH = """() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        const size = data.byteLength ?? data.length;
        if (size > 10_000) Object.assign(window, { sent: size, at: performance.now() });
        return send.call(this, data);
    };
}"""


@dataclass(frozen=True)
class Answer:
    label: str  # or NONE
    probabilities: Mapping[str, float]

    @property
    def best(self) -> str:
        """The most probable class, though it may be none of these."""
        return max(self.probabilities, key=lambda label: self.probabilities[label])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=200, help="how many (200)")
    record.add_option(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = sources(Path(folder) / "small")
        large = Path(folder) / "large"
        large.mkdir()
        for number in range(given.photos):
            name, data = taken(number, small)
            (large / name).write_bytes(data)
        by_command = predicted(large)
        found: dict[str, list[Answer]] = {name: [answer] for name, answer in by_command.items()}
        sent = []
        with peers.kezako(KEZAKO_API="1") as server, chromium() as browser:
            page = opened(browser.new_page(), server.address)
            for name, answers in sorted(found.items()):
                answers.append(posted(server.address, (large / name).read_bytes()))
                answers.append(shown(page, large / name, list(answers[0].probabilities)))
                sent.append(page.evaluate("window.sent"))
                labels = ", ".join(answer.label or "none" for answer in answers)
                print(f"  {difference(answers):.4f}  {name}  {labels}", flush=True)
            seconds = timed(page, small, Path(folder))
    record.keep(given.results, "agreement", report(found, sent, seconds))


def sources(folder: Path) -> list[Path]:
    """Small photos of bears and of other things; drawn faces where there are none."""
    found = sorted(PHOTOS.glob("bears/*/*.jpg")) + sorted(PHOTOS.glob("other/*.jpg"))
    if not found:
        folder.mkdir()
        for number in range(30):
            draw_face(CLASSES[number % len(CLASSES)], number).save(folder / f"{number}.png")
        found = sorted(folder.iterdir())
    return found


def predicted(folder: Path) -> dict[str, Answer]:
    """By name of the file: what `kezako predict` answers."""
    table = folder.parent / "answers.csv"
    command = [sys.executable, "-m", "kezako", "predict", peers.BUNDLE.name, str(folder)]
    subprocess.run(
        [*command, "--csv", str(table)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KEZAKO_HOME": str(ROOT)},
    )  # fmt: skip
    with table.open(newline="", encoding="utf-8") as file:
        return {
            Path(row["path"]).name: Answer(
                row["label"],
                {name[2:]: float(value) for name, value in row.items() if name.startswith("p_")},
            )
            for row in csv.DictReader(file)
        }


def posted(address: str, data: bytes) -> Answer:
    """What the API answers to the whole file."""
    request = urllib.request.Request(
        f"{address}api/predict", data, {"Content-Type": "application/octet-stream"}
    )
    with urllib.request.urlopen(request, timeout=WAIT / 1000) as response:
        said: dict[str, Any] = json.load(response)
    return Answer(said["label"] or NONE, said["probabilities"])


def opened(page: Page, address: str) -> Page:
    page.set_default_timeout(WAIT)
    page.add_init_script(f"({WATCH})()")
    page.goto(address, wait_until="commit")
    page.wait_for_selector('html[data-kezako="live"]')
    return page


def shown(page: Page, photo: Path, labels: list[str]) -> Answer:
    """What the page says, read from its bars and its sentence."""
    choose(page, photo)
    rows = page.eval_on_selector_all(
        ".kezako-bars li",
        "rows => rows.map(row => [row.querySelector('span').textContent,"
        " parseFloat(row.querySelector('i i').style.width) / 100])",
    )
    none = "None of these" in page.locator(".kezako").inner_text()
    named = {NAMES.get(label, label): label for label in labels}
    probabilities = {named[str(name)]: float(share) for name, share in rows}
    assert set(probabilities) == set(labels)
    answer = Answer(NONE, probabilities)
    return answer if none else Answer(answer.best, probabilities)


def choose(page: Page, photo: Path) -> None:
    """Choose a photo, and wait for its answer."""
    page.evaluate("window.begun = performance.now(); window.sent = 0")
    page.locator('.widget-upload input[type="file"]').set_input_files(photo)
    while not page.evaluate("window.sent"):  # `wait_for_function` needs an eval
        page.wait_for_timeout(20)
    page.wait_for_selector("html:not([data-upload])")
    page.wait_for_selector(".kezako-is-answer", state="attached")


def timed(page: Page, small: list[Path], folder: Path) -> list[float]:
    """Seconds from choosing a photo of 12 megapixels until it is sent, five times."""
    times = []
    for turn in range(5):
        photo = folder / f"twelve-{turn}.jpg"
        photo.write_bytes(taken(0, small, TWELVE)[1])
        choose(page, photo)
        times.append((page.evaluate("window.at - window.begun")) / 1000)
    return times


def difference(answers: list[Answer]) -> float:
    """The most that a probability of one answer differs from that of another."""
    labels = answers[0].probabilities
    spread = [[answer.probabilities[label] for answer in answers] for label in labels]
    return max(max(values) - min(values) for values in spread)


def report(
    found: Mapping[str, list[Answer]], sent: list[int], seconds: list[float]
) -> dict[str, Any]:
    every = list(found.values())
    differences = [difference(answers) for answers in every]
    none = [{answer.label == NONE for answer in answers} for answers in every]
    figures = {
        "photos": len(every),
        "same label": sum(len({answer.best for answer in answers}) == 1 for answers in every),
        "same none": sum(len(said) == 1 for said in none),
        "none": sum(answers[0].label == NONE for answers in every),
        "largest difference": max(differences),
        "mean difference": statistics.mean(differences),
        "sent KB, median": statistics.median(sent) / 1000,
        "sent KB, most": max(sent) / 1000,
        "12 MP s": statistics.median(seconds),
    }
    for what, value in figures.items():
        print(f"{what}: {value:.4g}")
    same = min(figures["same label"], figures["same none"]) == len(found)
    held = same and figures["largest difference"] < HELD
    print(f"same answers, and no difference of {HELD:g}: {'held' if held else 'NOT HELD'}")
    return figures


if __name__ == "__main__":
    main()
