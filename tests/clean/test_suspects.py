"""Real pictures through real weights: what lies wrong comes first, and the second look is quick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kezako.clean import features
from kezako.clean.page import CleanPage
from kezako.clean.suspects import as_table, find_suspects
from kezako.clean.thumbnail import Thumbnail
from kezako.cli import main
from kezako.dataset import split
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.gather import gather_from
from kezako.gather.new import new_recipe
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.clean.pictures import a_picture, add_picture
from tests.edited import edited
from tests.needs import PHOTOS, needs


@pytest.fixture(autouse=True)
def _starter_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEZAKO_WEIGHTS", "starter")  # no test reaches for a network


@pytest.fixture
def a_blue_among_the_reds(the_manifest: Manifest) -> Row:
    """A picture under the wrong class."""
    row = add_picture(the_manifest, "red", a_picture("blue", 77))
    split.group(the_manifest)
    return row


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each pass through the weights looked at."""
    sizes: list[int] = []
    call = features._Backbone.__call__

    def counted(self: Any, pictures: np.ndarray) -> np.ndarray:
        sizes.append(len(pictures))
        return call(self, pictures)

    monkeypatch.setattr(features._Backbone, "__call__", counted)
    return sizes


@pytest.mark.usefixtures("known_features")
def test_a_wrong_label_comes_first_and_is_told(
    an_empty_workspace: Workspace, gathered_colours: Recipe, a_blue_among_the_reds: Row
) -> None:
    suspects = find_suspects(gathered_colours, an_empty_workspace)
    assert len(suspects) == 19
    assert suspects[0].row.id == a_blue_among_the_reds.id
    assert suspects[0].score > suspects[1].score + 0.2
    assert any(reason.startswith("looks like blue (") for reason in suspects[0].reasons)
    assert [s.score for s in suspects] == sorted((s.score for s in suspects), reverse=True)


def test_a_second_look_measures_nothing_again(
    an_empty_workspace: Workspace,
    gathered_colours: Recipe,
    the_manifest: Manifest,
    measured: list[int],
) -> None:
    first = find_suspects(gathered_colours, an_empty_workspace)
    assert sum(measured) == 18
    assert find_suspects(gathered_colours, an_empty_workspace) == first
    assert sum(measured) == 18
    add_picture(the_manifest, "red", a_picture("red", 78))
    find_suspects(gathered_colours, an_empty_workspace)
    assert sum(measured) == 19


def test_a_look_that_was_stopped_goes_on(
    an_empty_workspace: Workspace,
    gathered_colours: Recipe,
    measured: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features, "BATCH", 4)
    monkeypatch.setattr(features, "SAVED_EVERY", 8)
    whole = features._Backbone.__call__

    def stopped(self: Any, pictures: np.ndarray) -> np.ndarray:
        if len(measured) == 3:
            raise KeyboardInterrupt
        return whole(self, pictures)

    with monkeypatch.context() as patch:
        patch.setattr(features._Backbone, "__call__", stopped)
        with pytest.raises(KeyboardInterrupt):
            find_suspects(gathered_colours, an_empty_workspace)
    assert sum(measured) == 12
    assert len(find_suspects(gathered_colours, an_empty_workspace)) == 18
    assert sum(measured) == 12 + 18 - 8
    folder = an_empty_workspace.folder(gathered_colours.name)
    assert not list(folder.glob(".features-*"))


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no zip"])
@pytest.mark.usefixtures("known_features")
def test_a_spoilt_cache_is_measured_again(
    an_empty_workspace: Workspace,
    gathered_colours: Recipe,
    measured: list[int],
    spoil: Callable[[bytes], bytes],
) -> None:
    first = find_suspects(gathered_colours, an_empty_workspace)
    cache = an_empty_workspace.folder(gathered_colours.name) / features.CACHE
    cache.write_bytes(spoil(cache.read_bytes()))
    assert find_suspects(gathered_colours, an_empty_workspace) == first
    assert sum(measured) == 18


@pytest.mark.usefixtures("known_features")
def test_other_weights_look_anew(
    an_empty_workspace: Workspace,
    gathered_colours: Recipe,
    measured: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find_suspects(gathered_colours, an_empty_workspace)
    assert not measured
    monkeypatch.setenv("KEZAKO_WEIGHTS", "random")
    find_suspects(gathered_colours, an_empty_workspace)
    assert sum(measured) == 18


def test_a_file_that_was_spoilt_is_the_worst(
    an_empty_workspace: Workspace, gathered_colours: Recipe, the_manifest: Manifest
) -> None:
    row = the_manifest.kept()[7]
    (the_manifest.folder / str(row.file)).write_bytes(b"\xff\xd8 no more")
    suspects = find_suspects(gathered_colours, an_empty_workspace)
    assert suspects[0].row.id == row.id
    assert suspects[0].reasons == ("the file cannot be opened",)
    assert len(suspects) == 18


def test_too_few_pictures_are_refused_with_what_to_do(
    an_empty_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    new_recipe(an_empty_workspace, "pets", ["cat", "dog"])
    assert main(["clean", "pets"]) == 2
    said = capsys.readouterr().err
    assert "pets has no pictures yet. Gather some with: kezako gather pets" in said


@pytest.mark.usefixtures("known_features")
def test_where_pictures_are_measured_the_page_opens_with_its_suspects(
    an_empty_workspace: Workspace, a_blue_among_the_reds: Row
) -> None:
    page = CleanPage(an_empty_workspace, "name=colours")
    first = next(_thumbnails(page))
    assert first.item
    assert first.item.row.id == a_blue_among_the_reds.id
    assert any(reason.startswith("looks like blue (") for reason in first.item.reasons)


def _thumbnails(widget: Any) -> Iterator[Thumbnail]:
    if isinstance(widget, Thumbnail):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from _thumbnails(child)


@pytest.mark.usefixtures("known_features")
def test_the_table_has_a_column_for_each_check(
    an_empty_workspace: Workspace, gathered_colours: Recipe, a_blue_among_the_reds: Row
) -> None:
    table = as_table(find_suspects(gathered_colours, an_empty_workspace, ["loss", "poor"]))
    assert list(table) == ["file", "class", "side", "score", "loss", "poor", "reasons"]
    assert table["file"][0] == a_blue_among_the_reds.file
    assert table["loss"][0] > 0.5


@pytest.mark.usefixtures("known_features")
def test_several_labels_a_picture(
    an_empty_workspace: Workspace, gathered_colours: Recipe, the_manifest: Manifest
) -> None:
    path = an_empty_workspace.folder("colours") / "recipe.toml"
    text = edited(path.read_text(), 'green = ["green"]\n', "")
    path.write_text('neither = ["green"]\n' + edited(text, '"single"', '"multi"'))
    for row in the_manifest.rows(folder="green"):  # what shows neither red nor blue
        row.folder, before = "neither", the_manifest.folder / str(row.file)
        row.file = f"pictures/neither/{before.name}"
        (the_manifest.folder / "pictures" / "neither").mkdir(exist_ok=True)
        before.replace(the_manifest.folder / row.file)
        the_manifest.update(row)
    wrong = add_picture(the_manifest, "neither", a_picture("blue", 77))
    suspects = find_suspects(an_empty_workspace.recipe("colours"), an_empty_workspace)
    assert suspects[0].row.id == wrong.id
    assert any(reason.startswith("looks like blue (") for reason in suspects[0].reasons)


@pytest.mark.usefixtures("known_features")
def test_the_command_prints_the_worst(
    gathered_colours: Recipe, a_blue_among_the_reds: Row, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["clean", gathered_colours.name, "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5  # a heading, two pictures, what to do next
    assert str(a_blue_among_the_reds.file) in lines[1]
    assert lines[-2].endswith("kezako clean colours --open")
    assert lines[-1].endswith("kezako clean colours --auto")


@pytest.mark.slow
def test_flipped_labels_of_photographs_are_found(
    an_empty_workspace: Workspace, some_photos: dict[str, list[Path]], tmp_path: Path
) -> None:
    needs(PHOTOS, "grizzly" in some_photos)
    recipe = _flipped_bears(an_empty_workspace, some_photos, tmp_path / "saved", each=48)
    suspects = find_suspects(recipe, an_empty_workspace)
    first = suspects[: int(0.12 * len(suspects))]
    flips = 3 * 48 / 12
    found = sum("flipped" in str(s.row.title) for s in first)
    assert found >= 0.7 * flips


def _flipped_bears(
    workspace: Workspace, photos: dict[str, list[Path]], saved: Path, each: int
) -> Recipe:
    """Bears, of which every twelfth lies in the next class; its row's title says so."""
    kinds = sorted(photos)
    new_recipe(workspace, "bears", kinds)
    recipe = workspace.recipe("bears")
    for place, kind in enumerate(kinds):
        for number, photo in enumerate(photos[kind][:each]):
            flipped = number % 12 == 6
            target = (
                saved / kinds[(place + flipped) % 3] / f"{kind}{'-flipped' * flipped}-{number}.jpg"
            )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(photo.read_bytes())
    gather_from(recipe, workspace, str(saved))
    return recipe
