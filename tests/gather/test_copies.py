"""Copies of one photo are a group, on one side of the split, however a program made them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from kezako.dataset.row import Row
from kezako.gather import gather_from
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import rows_of, save
from tests.gather.turned import as_jpeg, scene, turned

HASH = "0123456789abcdef0123456789abcdef"
COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "a quarter": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "three quarters and mirrored": lambda image: ImageOps.mirror(image.rotate(270, expand=True)),
    "half": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "diagonal": lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    "by 4 degrees": lambda image: turned(image, 4),
    "by 13 degrees, back": lambda image: turned(image, -13),
    "by 10 degrees, mirrored": lambda image: ImageOps.mirror(turned(image, 10)),
    "by 7 degrees and a quarter": lambda image: turned(image, 7).rotate(90, expand=True),
    "smaller": lambda image: image.resize((160, 120)),
}


def rows_by_title(workspace: Workspace) -> dict[str | None, Row]:
    return {row.title: row for row in rows_of(workspace, "shapes", status="kept")}


@pytest.mark.parametrize("first", [True, False], ids=["found first", "found later"])
def test_turned_and_mirrored_copies_are_groups(
    first: bool, tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    saved = tmp_path / "saved"
    for number, (name, copy) in enumerate(COPIES.items()):
        save(saved / "round" / f"{number}.jpg", as_jpeg(scene(number)))
        if not first:
            gather_from(shapes, workspace, saved)
        save(saved / "round" / f"{number} {name}.jpg", as_jpeg(copy(scene(number)), 80))
    summary = gather_from(shapes, workspace, saved)
    rows = rows_by_title(workspace)
    near = {name: rows[f"round/{n} {name}.jpg"].near == rows[f"round/{n}.jpg"].near
            for n, name in enumerate(COPIES)}  # fmt: skip
    assert near == dict.fromkeys(COPIES, True)
    assert len({row.near for row in rows.values()}) == len(COPIES), "unlike pictures are no group"
    for number, name in enumerate(COPIES):
        assert rows[f"round/{number} {name}.jpg"].split == rows[f"round/{number}.jpg"].split
    if first:
        assert any(note.startswith(f"{len(COPIES)} pictures are copies") for note in summary.notes)


def test_a_mirror_image_under_another_class_is_another_picture(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    save(tmp_path / "saved" / "round" / "b.jpg", as_jpeg(scene(1)))
    save(tmp_path / "saved" / "square" / "d.jpg", as_jpeg(ImageOps.mirror(scene(1))))
    summary = gather_from(shapes, workspace, tmp_path / "saved")
    assert len({row.near for row in rows_by_title(workspace).values()}) == 2
    assert summary.conflicts == 0


def test_what_roboflow_made_of_one_file_is_a_group(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    saved = tmp_path / "saved"
    for number in range(6):
        for copy in range(3):  # so cropped and recoloured that no pixel tells
            name = f"IMG_{number}_jpg.rf.{HASH[copy:]}{copy}.jpg"
            save(saved / "round" / name, as_jpeg(scene(10 * number + copy)))
    save(saved / "square" / f"IMG_1_jpg.rf.{HASH}.jpg", as_jpeg(scene(99)))
    gather_from(shapes, workspace, saved)
    rows = rows_of(workspace, "shapes", folder="round")
    assert len(rows) == 18
    groups = {(str(row.title).split(".rf.")[0], row.near, row.split) for row in rows}
    assert len(groups) == 6, "each file's copies share a group and a side"
    (other,) = rows_of(workspace, "shapes", folder="square")
    assert other.near == other.id, "another class may use the same name"
    assert sum(row.split == "valid" for row in rows) == 3


def test_a_picture_that_joins_two_new_ones_joins_their_groups(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    # 1 and 2 share nothing but 3, which comes last and is near to both.
    saved = tmp_path / "saved" / "round"
    names = (f"1_jpg.rf.{HASH}.jpg", "2.jpg", f"3 1_jpg.rf.{HASH}.jpg")
    save(saved / names[0], as_jpeg(scene(1)))
    save(saved / names[1], as_jpeg(scene(2)))
    save(saved / "deep" / names[0].replace(HASH, HASH[::-1]), as_jpeg(ImageOps.mirror(scene(2))))
    for number in range(4, 20):
        save(saved / f"{number}.jpg", as_jpeg(scene(number)))
    gather_from(shapes, workspace, saved.parent)
    rows = rows_by_title(workspace)
    three = [row for title, row in rows.items() if "rf" in str(title) or title == "round/2.jpg"]
    assert len(three) == 3
    assert len({(row.near, row.split) for row in three}) == 1


def test_two_sides_that_a_new_picture_joins_keep_it_out(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    saved = tmp_path / "saved"
    for number in range(10):
        save(saved / "round" / f"{number}_jpg.rf.{HASH}.jpg", as_jpeg(scene(number)))
    gather_from(shapes, workspace, saved)
    before = rows_by_title(workspace)
    learnt = next(row for row in before.values() if row.split == "train")
    judged = next(row for row in before.values() if row.split == "valid")
    number = int(Path(str(judged.title)).name.split("_")[0])
    name = Path(str(learnt.title)).name.replace(HASH, HASH[::-1])
    save(saved / "round" / "new" / name, as_jpeg(ImageOps.mirror(scene(number))))
    gather_from(shapes, workspace, saved)
    (row,) = [row for row in rows_of(workspace, "shapes") if "new" in str(row.title)]
    assert (row.status, row.reason) == ("duplicate", "near to pictures on both sides of the split")
    after = rows_by_title(workspace)
    assert {title: after[title] for title in before} == before, "no side changes"
