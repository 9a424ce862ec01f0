"""Digits, faces and road signs of 28 to 63 pixels are pictures; on the web such are icons."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kezako.dataset.manifest import Manifest
from kezako.gather import adopt, gather, gather_from
from kezako.gather.check import Checked, check
from kezako.gather.settings import Settings
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import encoded, picture, recipe_of, rows_of, save
from tests.standin import Standin

CLASSES = {"round": ["round shape"], "square": ["square shape"]}


def small(side: int, number: int = 0) -> bytes:
    return encoded(picture(number).resize((side, side), Image.Resampling.LANCZOS), "PNG")


@pytest.fixture
def some_small(tmp_path: Path) -> Path:
    """Pictures of sets that are usual, and two that are icons."""
    for number, side in enumerate((15, 16, 28, 32, 48, 63)):
        save(tmp_path / "set" / "round" / f"{side}.png", small(side, number))
    return tmp_path / "set"


def test_a_persons_own_are_taken_from_sixteen_pixels_on(
    some_small: Path, shapes: Recipe, workspace: Workspace
) -> None:
    assert gather_from(shapes, workspace, some_small).kept["round"] == 5
    (row,) = rows_of(workspace, "shapes", status="refused")
    assert (row.title, row.reason) == ("round/15.png", "too small: 15 × 15 pixels")


def test_dropped_ones_too(some_small: Path, shapes: Recipe, workspace: Workspace) -> None:
    workspace.pictures("shapes").parent.mkdir(parents=True)
    some_small.rename(workspace.pictures("shapes"))
    assert adopt(shapes, workspace).kept["round"] == 5


def test_saved_ones_beside_the_recipe_too(
    some_small: Path, shapes: Recipe, workspace: Workspace, drawn_settings: Settings
) -> None:
    workspace.folder("shapes").mkdir(parents=True)
    some_small.rename(workspace.folder("shapes") / "saved")
    assert gather(shapes, workspace, ["folder"], drawn_settings).kept["round"] == 5


def test_what_an_older_version_refused_is_taken_now(
    some_small: Path, shapes: Recipe, workspace: Workspace
) -> None:
    gather_from(shapes, workspace, some_small)
    with Manifest(workspace.folder("shapes")) as manifest:
        for row in manifest.kept():
            (workspace.folder("shapes") / str(row.file)).unlink()
            row.status, row.reason = "refused", f"too small: {row.width} × {row.height} pixels"
            row.file = row.phash = row.width = row.height = row.near = row.split = None
            manifest.update(row)
    assert gather_from(shapes, workspace, some_small).kept["round"] == 5
    assert len(rows_of(workspace, "shapes")) == 6, "no row is written twice"
    rows = rows_of(workspace, "shapes")
    gather_from(shapes, workspace, some_small)
    assert rows_of(workspace, "shapes") == rows


@pytest.fixture
def found(
    workspace: Workspace, drawn_settings: Settings, drawn_standin: Standin
) -> Callable[[str], Recipe]:
    """Gathers from a web that has pictures of 40 pixels before its usual ones."""
    urls = drawn_standin.urls("round shape", 40)
    drawn_standin.play("pictures", body=small(40), content_type="image/png", times=1)
    drawn_standin.offer("round shape", urls[:1])
    drawn_standin.offer("square shape", drawn_standin.urls("square shape", 3))

    def gathered(top: str) -> Recipe:
        recipe = recipe_of("shapes", 3, top, **CLASSES)
        gather(recipe, workspace, ["openverse"], drawn_settings)
        return recipe

    return gathered


def test_on_the_web_they_are_icons_unless_the_recipe_says_otherwise(
    found: Callable[[str], Recipe], workspace: Workspace, drawn_standin: Standin
) -> None:
    found("")
    (row,) = rows_of(workspace, "shapes", folder="round")
    assert row.reason == "too small: 40 × 40 pixels"
    found("min_side = 41")
    assert rows_of(workspace, "shapes", folder="round") == [row]
    drawn_standin.play("pictures", body=small(40), content_type="image/png", times=1)
    found("min_side = 40")
    (row,) = rows_of(workspace, "shapes", folder="round")
    assert (row.status, row.width) == ("kept", 40)


def test_a_small_one_keeps_its_colours() -> None:
    stripes = Image.new("RGB", (32, 32), "red")
    for x in range(0, 32, 2):
        stripes.paste("blue", (x, 0, x + 1, 32))
    kept = check(encoded(stripes, "PNG"), 16)
    assert isinstance(kept, Checked)
    image = Image.open(io.BytesIO(kept.jpeg))
    pixels = np.asarray(image)[16, 8:24]
    assert all((red > 150) != (blue > 150) for red, _, blue in pixels), "half a colour blurs them"


def test_handwritten_digits_of_one_kind_are_no_copies(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    ones = digits.images[digits.target == 1][:60]
    for number, digit in enumerate(ones):
        image = Image.fromarray((digit * 15.9).astype("uint8")).resize(
            (28, 28), Image.Resampling.BICUBIC
        )
        side = "test" if number % 4 == 0 else "train"
        save(tmp_path / "digits" / side / "round" / f"{number}.png", encoded(image, "PNG"))
    gather_from(shapes, workspace, tmp_path / "digits")
    rows = rows_of(workspace, "shapes", status="kept")
    assert len({row.near for row in rows}) == len(rows) == 60
    assert sum(row.split == "test" for row in rows) == 15
