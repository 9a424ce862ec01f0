"""In which order pictures are shown, and what the counts count."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from kezako.clean.review import Review
from kezako.dataset.corrections import offer
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.clean.pictures import a_picture, fill


@dataclass(frozen=True)
class Finding:
    row: Row
    score: float
    reasons: tuple[str, ...]


@pytest.fixture
def review(gathered_colours: Recipe, an_empty_workspace: Workspace) -> Review:
    return Review(gathered_colours, an_empty_workspace)


def test_corrections_then_suspects_worst_first_then_the_others(
    review: Review, the_manifest: Manifest, an_empty_workspace: Workspace
) -> None:
    offer(an_empty_workspace, "colours", a_picture("red", 99), ("blue",), "This is red.")
    mild, bad = the_manifest.rows(folder="blue")[:2]
    review.rank([Finding(mild, 0.4, ("a little odd",)), Finding(bad, 0.9, ("very odd",))])
    items = review.items()
    assert len(items) == 19
    assert items[0].row.status == "offered"
    assert [item.row.id for item in items[1:3]] == [bad.id, mild.id]
    assert items[1].reasons == ("very odd",)
    assert items[0].reasons == ("a visitor says: blue; the page said: This is red.",)


def test_class_and_side_choose_what_is_shown(review: Review, the_manifest: Manifest) -> None:
    valid = [row.id for row in the_manifest.rows(folder="red", split="valid")]
    assert valid
    assert [item.row.id for item in review.items("red", "validation")] == valid
    assert len(review.items("red", "training")) == 6 - len(valid)
    review.mark([review.items("red")[0].row], "keep")
    assert len(review.items("red", "not looked at yet")) == 5
    assert review.items("red", "marked") == []


def test_counts_say_what_apply_would_do(
    review: Review, the_manifest: Manifest, an_empty_workspace: Workspace
) -> None:
    offer(an_empty_workspace, "colours", a_picture("red", 99), ("blue",), "This is red.")
    for item, mark in zip(
        review.items(), ("keep", "keep", "delete", "delete", "move:green"), strict=False
    ):
        review.mark([item.row], mark)
    assert review.counts() == {"delete": 2, "move": 1, "accept": 1, "keep": 1}
    applied = review.apply()
    assert [len(part) for part in (applied.deleted, applied.moved, applied.accepted)] == [2, 1, 1]
    assert review.counts() == {"delete": 0, "move": 0, "accept": 0, "keep": 1}
    assert review.undo() == "4 pictures are back, and marked as before."
    assert review.counts() == {"delete": 2, "move": 1, "accept": 1, "keep": 1}


def test_undo_takes_back_one_decision_at_a_time(review: Review) -> None:
    rows = [item.row for item in review.items("red")]
    review.mark(rows[:1], "delete")
    review.mark(rows[1:4], "keep")
    review.undo()
    assert [item.row.mark for item in review.items("red")] == ["delete", *[None] * 5]
    review.undo()
    assert not any(item.row.mark for item in review.items())
    assert not review.can_undo()
    assert review.undo() == "Nothing to undo."


def test_a_later_review_can_undo_what_was_applied(
    review: Review, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    review.mark([review.items()[0].row], "delete")
    review.apply()
    later = Review(gathered_colours, an_empty_workspace)
    assert later.can_undo()
    later.undo()
    assert len(later.items()) == 18


def test_a_correction_to_no_class_of_the_recipe_must_be_moved(
    review: Review, an_empty_workspace: Workspace
) -> None:
    offer(an_empty_workspace, "colours", a_picture("red", 99), ("violet",), "This is red.")
    (item,) = review.items(shown="visitors' corrections")
    review.mark([item.row], "keep")
    assert "is no class of colours" in str(review.apply())
    review.mark([item.row], "move:green")
    assert len(review.apply().accepted) == 1
    assert len(review.items("green")) == 7


def test_a_correction_that_is_there_already_joins_its_twin(
    review: Review, the_manifest: Manifest, an_empty_workspace: Workspace
) -> None:
    offer(an_empty_workspace, "colours", a_picture("green", 2), ("green",), "This is red.")
    twin = the_manifest.rows(folder="green")[2]
    review.mark([review.items()[0].row], "keep")
    review.apply()
    (row,) = the_manifest.rows(source="correction")
    assert row.status == "kept"
    assert (row.near, row.split) == (twin.near, twin.split), "on its side of the split"


def test_a_multi_label_picture_can_show_none_or_several(an_empty_workspace: Workspace) -> None:
    recipe = fill(an_empty_workspace, "several", each=2, task="multi")
    review = Review(recipe, an_empty_workspace)
    one, other = review.items("red")
    review.mark([one.row], "move:blue+green")
    review.mark([other.row], "move:neither")
    assert len(review.apply().moved) == 2
    assert review.targets() == ["red", "green", "blue", "neither", "blue+green"]
    assert len(review.items("neither")) == 1


def test_a_picture_that_went_meanwhile_is_a_sentence(
    review: Review, gathered_colours: Recipe, an_empty_workspace: Workspace
) -> None:
    row = review.items()[0].row
    other = Review(gathered_colours, an_empty_workspace)
    other.mark([other.items()[0].row], "delete")
    other.apply()
    with pytest.raises(ValueError, match="no longer there"):
        review.mark([row], "keep")
