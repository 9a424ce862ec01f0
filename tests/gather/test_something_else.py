"""A maker's own pictures of something else: by hand or with --from, and no class in any count."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kezako.gather import adopt, gather_from
from kezako.gather.new import new_recipe
from kezako.recipe import SOMETHING_ELSE, Recipe
from kezako.workspace import Workspace
from tests.clean.pictures import a_picture, fill
from tests.gather import turned
from tests.gather.saved import save
from tests.gather.turned import film


@pytest.fixture
def colours(an_empty_workspace: Workspace) -> Recipe:
    return fill(an_empty_workspace, each=6)


def saved(folder: Path, count: int = 4) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(a_picture("blue", 500 + number))
    return folder


@pytest.mark.parametrize("name", ["something-else", "Something Else"])
def test_a_folder_of_that_name_is_taken(
    name: str, colours: Recipe, an_empty_workspace: Workspace, tmp_path: Path
) -> None:
    saved(tmp_path / "mine" / name)
    summary = gather_from(colours, an_empty_workspace, tmp_path / "mine")
    assert summary.something_else == summary.added == 4
    assert summary.kept == dict.fromkeys(colours.labels, 6)
    assert SOMETHING_ELSE not in summary.reasons
    assert "something-else: 4 kept; they show none of the classes" in repr(summary)
    assert "colours: 22 pictures, 4 of them new" in repr(summary)


def test_pictures_put_there_by_hand_or_by_class_are_taken(
    colours: Recipe, an_empty_workspace: Workspace, tmp_path: Path
) -> None:
    shutil.copytree(
        saved(tmp_path / "some"), an_empty_workspace.pictures("colours") / SOMETHING_ELSE
    )
    assert adopt(colours, an_empty_workspace).something_else == 4
    loose = tmp_path / "loose"
    loose.mkdir()
    (loose / "5.jpg").write_bytes(a_picture("blue", 600))
    summary = gather_from(colours, an_empty_workspace, loose, "something else")
    assert summary.something_else == 5


def test_a_burst_of_them_is_not_cut(
    colours: Recipe, an_empty_workspace: Workspace, tmp_path: Path
) -> None:
    """A class that is one series loses pictures between its sides, and the card warns of it."""
    for number, frame in enumerate(film(34, 1)):
        save(tmp_path / "film" / SOMETHING_ELSE / f"{number}.jpg", turned.as_jpeg(frame))
    summary = gather_from(colours, an_empty_workspace, tmp_path / "film")
    assert summary.something_else == 34
    assert not [note for note in summary.notes if "series" in note]


def test_nothing_is_searched_for_it(colours: Recipe) -> None:
    assert SOMETHING_ELSE not in colours.folders
    assert SOMETHING_ELSE not in colours.labels


def test_it_cannot_be_a_class(an_empty_workspace: Workspace) -> None:
    for name in ("something-else", "Something else"):
        with pytest.raises(ValueError, match=f'a class cannot be called "{name}"'):
            new_recipe(an_empty_workspace, "pets", ["cat", name])
