"""Files that a person dropped straight into data/NAME/pictures/CLASS/."""

from __future__ import annotations

import os

from PIL import Image

from kezako.gather import adopt
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import encoded, files_below, jpeg, picture, rows_of, save
from tests.needs import only_where


def test_a_fitting_file_stays_as_it_is(workspace: Workspace, shapes: Recipe) -> None:
    path = save(workspace.pictures("shapes") / "round" / "my photo.jpg", jpeg())
    assert adopt(shapes, workspace).kept == {"round": 1, "square": 0}
    (row,) = rows_of(workspace, "shapes")
    assert (row.file, row.status, row.url) == ("pictures/round/my photo.jpg", "kept", None)
    assert path.read_bytes() == jpeg()


def test_others_are_normalised_and_their_originals_moved_aside(
    workspace: Workspace, shapes: Recipe
) -> None:
    large = encoded(picture().resize((1500, 1000)), "PNG")
    save(workspace.pictures("shapes") / "round" / "from phone" / "large.png", large)
    adopt(shapes, workspace)
    (row,) = rows_of(workspace, "shapes")
    assert (row.width, row.height) == (512, 341)
    assert Image.open(workspace.folder("shapes") / str(row.file)).format == "JPEG"
    original = workspace.folder("shapes") / "originals" / "round" / "from phone" / "large.png"
    assert original.read_bytes() == large
    assert files_below(workspace.pictures("shapes")) == [f"round/{row.sha256}.jpg"]


def test_an_original_that_has_the_name_of_its_copy_is_not_lost(
    workspace: Workspace, shapes: Recipe
) -> None:
    import hashlib

    grey = encoded(picture().convert("L"), "JPEG")
    name = f"{hashlib.sha256(grey).hexdigest()}.jpg"
    save(workspace.pictures("shapes") / "round" / name, grey)
    adopt(shapes, workspace)
    assert (workspace.folder("shapes") / "originals" / "round" / name).read_bytes() == grey
    assert Image.open(workspace.pictures("shapes") / "round" / name).mode == "RGB"


def test_again_changes_nothing(workspace: Workspace, shapes: Recipe) -> None:
    pictures = workspace.pictures("shapes")
    save(pictures / "round" / "a.jpg", jpeg(1))
    save(pictures / "round" / "b.png", encoded(picture(2), "PNG"))
    save(pictures / "round" / "same as a.jpg", jpeg(1))
    save(pictures / "square" / "no.jpg", b"no picture")
    save(pictures / "Square" / "c.jpg", jpeg(3))
    first = adopt(shapes, workspace)
    state = rows_of(workspace, "shapes"), files_below(workspace.folder("shapes") / "pictures")
    again = adopt(shapes, workspace)
    assert (first.added, again.added) == (3, 0)
    assert first.kept == again.kept == {"round": 2, "square": 1}
    assert (rows_of(workspace, "shapes"), files_below(pictures)) == state
    assert files_below(workspace.folder("shapes") / "originals") == [
        "round/b.png", "round/same as a.jpg", "square/c.jpg", "square/no.jpg",
    ]  # fmt: skip


def test_a_picture_dragged_to_another_class_takes_its_row_along(
    workspace: Workspace, shapes: Recipe
) -> None:
    pictures = workspace.pictures("shapes")
    save(pictures / "round" / "a.png", encoded(picture(1), "PNG"))
    save(pictures / "square" / "b.jpg", jpeg(2))
    adopt(shapes, workspace)
    (before,) = rows_of(workspace, "shapes", folder="round")
    os.replace(
        pictures / "round" / f"{before.sha256}.jpg", pictures / "square" / f"{before.sha256}.jpg"
    )
    assert adopt(shapes, workspace).kept == {"round": 0, "square": 2}
    (after,) = rows_of(workspace, "shapes", id=before.id)
    assert (after.folder, after.status, after.mark) == ("square", "kept", "move:square")
    assert (after.sha256, after.split) == (before.sha256, before.split)


def test_a_file_that_was_away_for_a_while_is_the_same_picture(
    workspace: Workspace, shapes: Recipe
) -> None:
    path = save(workspace.pictures("shapes") / "round" / "a.jpg", jpeg(1))
    adopt(shapes, workspace)
    rows = rows_of(workspace, "shapes")
    path.unlink()
    assert adopt(shapes, workspace).kept["round"] == 0
    save(path, jpeg(1))
    assert adopt(shapes, workspace).kept["round"] == 1
    assert rows_of(workspace, "shapes") == rows


@only_where(hasattr(os, "mkfifo"), "pipes with names")
def test_a_pipe_among_the_pictures_does_not_hang(workspace: Workspace, shapes: Recipe) -> None:
    folder = workspace.pictures("shapes") / "round"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pipe.jpg")
    save(folder / "a.jpg", jpeg(1))
    assert adopt(shapes, workspace).kept["round"] == 1
    (row,) = rows_of(workspace, "shapes", status="broken")
    assert row.reason == "no file: it is a device or a pipe"
