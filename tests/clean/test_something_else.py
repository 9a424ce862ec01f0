"""Pictures that show none of the classes of a single-label recipe: kept, and never a class."""

from __future__ import annotations

import pytest

from kezako.clean.marks import apply_marks, set_mark, undo
from kezako.clean.review import Review
from kezako.clean.suspects import look
from kezako.dataset.corrections import offer
from kezako.dataset.manifest import Manifest
from kezako.dataset.readiness import too_few
from kezako.dataset.row import Row
from kezako.recipe import SOMETHING_ELSE, Recipe
from kezako.workspace import Workspace
from tests.clean.pictures import a_picture

PATTERN = a_picture("red", 99)


@pytest.fixture
def accepted(gathered_colours: Recipe, an_empty_workspace: Workspace) -> Row:
    """A visitor's "none of these" that the maker accepted."""
    offer(an_empty_workspace, "colours", PATTERN, (), "This is red.")
    return accept(gathered_colours, an_empty_workspace)


def accept(recipe: Recipe, workspace: Workspace) -> Row:
    review = Review(recipe, workspace)
    (item,) = review.items(shown="visitors' corrections")
    assert item.row.folder in review.targets(), "or the button is disabled"
    review.mark([item.row], "keep")
    assert str(review.apply()) == "1 taken in from visitors."
    (row,) = review.items(SOMETHING_ELSE)
    return row.row


def test_an_accepted_none_of_these_is_a_picture_of_something_else(
    accepted: Row, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    assert (accepted.folder, accepted.status) == (SOMETHING_ELSE, "kept")
    path = an_empty_workspace.folder("colours") / str(accepted.file)
    assert path.parent.name == SOMETHING_ELSE
    assert path.is_file()
    assert gathered_colours.labels_of(SOMETHING_ELSE) == ()


def test_a_none_of_these_that_kezako_0_1_wrote_can_be_accepted(
    gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    offer(an_empty_workspace, "colours", PATTERN, (), "This is red.", "multi")
    with Manifest(an_empty_workspace.folder("colours"), read_only=True) as manifest:
        assert [row.folder for row in manifest.rows(status="offered")] == ["neither"]
    assert accept(gathered_colours, an_empty_workspace).folder == SOMETHING_ELSE


def test_undo_makes_it_a_correction_again(
    accepted: Row, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    assert undo(gathered_colours, an_empty_workspace) == 1
    with Manifest(an_empty_workspace.folder("colours")) as manifest:
        (row,) = manifest.rows(id=accepted.id)
    assert row.status == "offered"
    assert (an_empty_workspace.folder("colours") / str(row.file)).is_file()


def test_pictures_move_there_and_back(
    the_manifest: Manifest, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    row = the_manifest.rows(folder="red")[0]
    for target in (SOMETHING_ELSE, "red"):
        set_mark(the_manifest, the_manifest.rows(id=row.id)[0], f"move:{target}")
        assert len(apply_marks(gathered_colours, an_empty_workspace).moved) == 1
        (moved,) = the_manifest.rows(id=row.id)
        assert (moved.folder, moved.status, moved.split) == (target, "kept", row.split)
        assert (the_manifest.folder / f"pictures/{target}/{row.sha256}.jpg").is_file()


def test_it_is_compared_with_no_class_and_counts_for_none(
    accepted: Row, gathered_colours: Recipe, an_empty_workspace: Workspace, the_manifest: Manifest
) -> None:
    rows, unreadable, _ = look(gathered_colours, an_empty_workspace)
    assert not unreadable
    assert len(rows) == 18
    assert accepted.id not in [row.id for row in rows]
    lacking = too_few(gathered_colours, the_manifest.kept(), the_manifest.rows())
    assert "blue has 6, green has 6, red has 6" in lacking
    assert SOMETHING_ELSE not in lacking
