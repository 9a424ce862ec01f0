"""Crops of one photo are found by what they show, told as suspects, and shown side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kezako.clean import copies
from kezako.clean.copies import candidates, groups_of
from kezako.clean.gallery import Gallery
from kezako.clean.overlap import overlap
from kezako.clean.suspects import find_suspects
from kezako.dataset import split
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row, Split
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.clean.pictures import a_scene, add_picture, as_jpeg


@pytest.fixture(autouse=True)
def _starter_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEZAKO_WEIGHTS", "starter")  # no test reaches for a network


@pytest.fixture
def learnt(the_manifest: Manifest) -> Row:
    """A picture on the training side of red."""
    row = add_picture(the_manifest, "red", as_jpeg(a_scene(1)))
    return settled(the_manifest, row, "train")


def add_crop(manifest: Manifest, folder: str, side: Split) -> Row:
    """A crop of the same scene, in a class and on a side of the split."""
    scene = a_scene(1)
    crop = scene.crop((scene.width // 8, scene.height // 8, scene.width, scene.height))
    row = settled(manifest, add_picture(manifest, folder, as_jpeg(crop)), side)
    assert row.near == row.id, "the perceptual hash alone does not find it"
    return row


def settled(manifest: Manifest, row: Row, side: Split) -> Row:
    split.group(manifest)
    changed = replace(manifest.rows(id=row.id)[0], split=side)
    manifest.update(changed)
    return changed


def test_a_copy_on_the_other_side_of_the_split_is_a_suspect(
    an_empty_workspace: Workspace, gathered_colours: Recipe, the_manifest: Manifest, learnt: Row
) -> None:
    crop = add_crop(the_manifest, "red", "valid")
    suspects = {s.row.id: s for s in find_suspects(gathered_colours, an_empty_workspace)}
    (reason,) = (r for r in suspects[crop.id].reasons if "the same photo" in r)
    assert reason == f"the same photo as red/{str(learnt.sha256)[:8]}, which is in training"
    assert not [r for r in suspects[learnt.id].reasons if "the same photo" in r]
    assert the_manifest.rows(id=crop.id)[0].split == "valid", "no side changes by itself"
    gallery = Gallery(gathered_colours, an_empty_workspace)
    assert [row.id for row in gallery.leaked] == [crop.id]
    assert "1 of 4 validation pictures show a photo that is in training" in str(gallery)
    assert "kezako clean colours --open" in str(gallery)


def test_a_copy_in_another_class_is_a_conflict(
    an_empty_workspace: Workspace, gathered_colours: Recipe, the_manifest: Manifest, learnt: Row
) -> None:
    crop = add_crop(the_manifest, "green", "train")
    suspects = {s.row.id: s for s in find_suspects(gathered_colours, an_empty_workspace)}
    assert "also lies in red" in suspects[crop.id].reasons
    assert "also lies in green" in suspects[learnt.id].reasons
    gallery = Gallery(gathered_colours, an_empty_workspace)
    assert gallery.copies[0].conflict
    assert "1 photo is held under several classes" in str(gallery)
    figure = gallery.show()
    assert figure is not None
    assert [len(axes.images) for axes in figure.axes] == [1, 1]
    titles = [axes.get_title() for axes in figure.axes[:2]]
    assert titles[0].startswith("red/")
    assert titles[1].startswith("green/")
    figure.canvas.draw()


def test_without_copies_there_is_a_sentence(
    an_empty_workspace: Workspace, gathered_colours: Recipe
) -> None:
    gallery = Gallery(gathered_colours, an_empty_workspace)
    assert str(gallery) == "No photo is held twice."
    assert gallery.show() is None


def test_pairs_are_compared_once(
    an_empty_workspace: Workspace,
    gathered_colours: Recipe,
    the_manifest: Manifest,
    learnt: Row,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[float] = []

    def counted(*pictures: Any) -> float:
        compared.append(overlap(*pictures))
        return compared[-1]

    monkeypatch.setattr(copies, "overlap", counted)
    add_crop(the_manifest, "red", "valid")
    first = find_suspects(gathered_colours, an_empty_workspace)
    count = len(compared)
    assert count > 0
    assert find_suspects(gathered_colours, an_empty_workspace) == first
    assert len(compared) == count
    cache = an_empty_workspace.folder(gathered_colours.name) / copies.CACHE
    cache.write_bytes(cache.read_bytes()[:100])
    assert find_suspects(gathered_colours, an_empty_workspace) == first
    assert len(compared) == 2 * count


def test_a_file_that_was_spoilt_since_is_no_copy(
    an_empty_workspace: Workspace, gathered_colours: Recipe, the_manifest: Manifest, learnt: Row
) -> None:
    crop = add_crop(the_manifest, "red", "valid")
    find_suspects(gathered_colours, an_empty_workspace)
    (the_manifest.folder / copies.CACHE).unlink()
    (the_manifest.folder / str(crop.file)).write_bytes(b"\xff\xd8 no more")
    assert str(Gallery(gathered_colours, an_empty_workspace)) == "No photo is held twice."


def test_two_that_stand_out_among_their_nearest_are_candidates() -> None:
    views = np.random.default_rng(0).normal(0, 1, (1, 40, 16)).astype(np.float32)
    views[:, 7] = views[:, 3] + 0.01
    assert [3, 7] in candidates(views, np.arange(40)).tolist()
    together = np.arange(40)
    together[7] = 3
    assert [3, 7] not in candidates(views, together).tolist(), "they are grouped already"


def test_few_pictures_have_few_candidates() -> None:
    views = np.random.default_rng(0).normal(0, 1, (1, 4, 16)).astype(np.float32)
    assert candidates(views, np.arange(4)).shape[1] == 2
    assert candidates(views, np.zeros(4, dtype=np.int64)).shape == (0, 2)


def test_groups_are_joined_by_copies() -> None:
    rows = [Row("a", id=i, near=near) for i, near in enumerate([0, 0, 2, 3, None])]
    groups = groups_of(rows, np.array([[1, 3], [3, 4]]))
    assert len(set(groups[[0, 1, 3, 4]])) == 1
    assert len(set(groups)) == 2
