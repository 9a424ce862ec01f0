"""A workspace with a classifier that tells colours apart, and folders of plain pictures."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kezako.workspace import Workspace

COLOURS = {"red": (250, 20, 20), "green": (20, 250, 20), "blue": (20, 20, 250)}


@pytest.fixture(scope="session")
def a_workspace_of_colours(
    tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]
) -> Workspace:
    """Where `colours` names one, and `tints` any number of them."""
    home = tmp_path_factory.mktemp("colours")
    a_bundle(home / "models", "colours", tuple(COLOURS))
    a_bundle(home / "models", "tints", tuple(COLOURS), task="multi")
    return Workspace(home)


@pytest.fixture(scope="session")
def a_folder_of_pictures() -> Callable[[Path, int], dict[str, str]]:
    """Draws so many pictures into a folder and its sub-folders; path -> colour, in order."""

    def draw(folder: Path, count: int) -> dict[str, str]:
        drawn = {}
        for number in range(count):
            colour = list(COLOURS)[number % 3]
            path = folder / f"part {number // 100:02}" / f"{number:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 30), COLOURS[colour]).save(path)
            drawn[str(path)] = colour
        return drawn

    return draw


def rows_of(sheet: Path) -> list[dict[str, str]]:
    with sheet.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
