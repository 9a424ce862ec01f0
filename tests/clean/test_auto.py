"""Cleaning that nobody watches: it moves what is certain, leaves the rest, and can be undone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from kezako.clean import auto
from kezako.clean.auto import clean, decide
from kezako.clean.features import Features
from kezako.clean.marks import set_mark
from kezako.cli import main
from kezako.dataset import split
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.errors import KezakoError
from kezako.recipe import Recipe, parse_recipe
from kezako.workspace import Workspace
from tests.clean.conftest import STRAYS
from tests.clean.pictures import a_picture, add_picture
from tests.holding import held

EACH = 100
NO_COPIES = np.zeros((0, 2), dtype=np.int64)
TWO = parse_recipe('[classes]\ncat = ["cat"]\ndog = ["dog"]\n', "pets")


@pytest.fixture(autouse=True)
def _starter_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEZAKO_WEIGHTS", "starter")  # no test reaches for a network


@pytest.fixture
def two_strays(the_manifest: Manifest, known_features: None) -> list[Row]:
    """A blue picture among the reds, and a red one among the greens."""
    for colour in ("red", "green", "blue"):
        for seed in STRAYS:
            add_picture(the_manifest, colour, a_picture(colour, seed))
    rows = [
        add_picture(the_manifest, "red", a_picture("blue", 77)),
        add_picture(the_manifest, "green", a_picture("red", 77)),
    ]
    split.group(the_manifest)
    return rows


def cats_and_dogs(
    apart: float,  # how far the classes lie from one another, in deviations
    wrong: Sequence[int] = (),  # which cats look like dogs
    drawn: Sequence[int] = (),  # which pictures look drawn
) -> tuple[list[Row], Features]:
    """A hundred cats, then as many dogs, with made-up features."""
    chance = np.random.default_rng(1)
    dog = np.repeat([0.0, 1.0], EACH)
    dog[list(wrong)] = 1
    views = chance.normal(0, 1, (2, 2 * EACH, 8))
    views[:, :, :4] += apart * dog[:, None]
    looks = np.tile([900.0, 0.01], (2 * EACH, 1))
    looks[list(drawn), 1] = 0.4
    rows = [
        Row("cat" if i < EACH else "dog", "kept", id=i, width=300, height=300, near=i)
        for i in range(2 * EACH)
    ]
    return rows, Features(views.astype(np.float32), looks.astype(np.float32), NO_COPIES)


def test_what_is_certain_is_moved(
    an_empty_workspace: Workspace,
    gathered_colours: Recipe,
    the_manifest: Manifest,
    two_strays: list[Row],
) -> None:
    cleaned = clean(gathered_colours, an_empty_workspace)
    assert {(v.row.id, v.mark) for v in cleaned.verdicts} == {
        (two_strays[0].id, "move:blue"),
        (two_strays[1].id, "move:red"),
    }
    assert len(cleaned.applied.moved) == 2
    folders = {row.id: row.folder for row in the_manifest.kept()}
    assert [folders[row.id] for row in two_strays] == ["blue", "red"]
    assert all((the_manifest.folder / str(row.file)).is_file() for row in the_manifest.kept())
    assert not clean(gathered_colours, an_empty_workspace).verdicts


def test_the_command_lists_what_it_did_and_takes_it_back(
    gathered_colours: Recipe,
    the_manifest: Manifest,
    two_strays: list[Row],
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = [(row.id, row.folder, row.file, row.mark) for row in the_manifest.rows()]
    assert main(["clean", "colours", "--auto"]) == 0
    said = capsys.readouterr().out
    assert f"{two_strays[0].file}: moved to blue; looks like blue (" in said
    assert "2 moved to another class." in said
    assert main(["clean", "colours", "--undo"]) == 0
    assert capsys.readouterr().out == "2 pictures are back where they were.\n"
    assert [(row.id, row.folder, row.file, row.mark) for row in the_manifest.rows()] == before
    assert main(["clean", "colours", "--undo"]) == 0
    assert capsys.readouterr().out == "There is nothing to undo.\n"


def test_what_a_person_marked_is_left_alone(
    an_empty_workspace: Workspace,
    gathered_colours: Recipe,
    the_manifest: Manifest,
    two_strays: list[Row],
) -> None:
    set_mark(the_manifest, two_strays[0], "keep")
    set_mark(the_manifest, two_strays[1], "delete")
    assert not clean(gathered_colours, an_empty_workspace).verdicts
    marks = {row.id: (row.mark, row.folder) for row in the_manifest.kept()}
    assert marks[two_strays[0].id] == ("keep", "red")
    assert marks[two_strays[1].id] == ("delete", "green")  # marked, and not applied


def test_killed_between_marking_and_moving_it_goes_on(
    an_empty_workspace: Workspace,
    gathered_colours: Recipe,
    the_manifest: Manifest,
    two_strays: list[Row],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(auto, "apply_marks", killed)
        with pytest.raises(KeyboardInterrupt):
            clean(gathered_colours, an_empty_workspace)
    assert len([row for row in the_manifest.kept() if row.mark]) == 2
    assert len(clean(gathered_colours, an_empty_workspace).applied.moved) == 2


@pytest.mark.usefixtures("known_features")
def test_good_data_gives_nothing_to_do(
    an_empty_workspace: Workspace, gathered_colours: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["clean", "colours", "--auto"]) == 0
    said = capsys.readouterr().out
    assert said == "The rule found nothing that is certain enough to be moved.\n"


def test_wrong_labels_among_clear_classes_are_decided() -> None:
    rows, features = cats_and_dogs(apart=6, wrong=(3, 8))
    assert [(v.row.id, v.mark) for v in decide(TWO, rows, features)] == [
        (3, "move:dog"),
        (8, "move:dog"),
    ]


def test_classes_that_cannot_be_told_apart_are_left_alone() -> None:
    rows, features = cats_and_dogs(apart=0)
    assert decide(TWO, rows, features) == []


def test_what_looks_drawn_is_set_aside() -> None:
    rows, features = cats_and_dogs(apart=6, wrong=(3, 8), drawn=(8, 20))
    verdicts = decide(TWO, rows, features)
    assert [v.mark for v in verdicts] == ["move:dog", "delete"]
    assert str(verdicts[1]).endswith("lay in cat, and looks drawn")


def test_several_labels_a_picture_are_decided_by_the_same_rule() -> None:
    recipe = parse_recipe('task = "multi"\n[classes]\ncat = ["cat"]\ndog = ["dog"]\n', "pets")
    rows, features = cats_and_dogs(apart=6, wrong=(3,))
    rows[150].folder = "cat+dog"  # looks like a dog, and is said to show both
    assert [(v.row.id, v.mark) for v in decide(recipe, rows, features)] == [
        (3, "move:dog"),
        (150, "move:dog"),
    ]


def test_what_a_person_marks_meanwhile_is_theirs(
    an_empty_workspace: Workspace,
    gathered_colours: Recipe,
    the_manifest: Manifest,
    two_strays: list[Row],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def decide_slowly(*given: object) -> list[auto.Decision]:
        verdicts = decide(*given)  # type: ignore[arg-type]
        set_mark(the_manifest, the_manifest.rows(id=two_strays[0].id)[0], "keep")
        return verdicts

    monkeypatch.setattr(auto, "decide", decide_slowly)
    assert [v.row.id for v in clean(gathered_colours, an_empty_workspace).verdicts] == [
        two_strays[1].id
    ]
    (row,) = the_manifest.rows(id=two_strays[0].id)
    assert (row.folder, row.mark) == ("red", "keep")


def test_it_lets_nobody_else_move_pictures_while_it_looks(
    an_empty_workspace: Workspace, gathered_colours: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kezako.lock.PATIENCE", 0)
    with (
        held(an_empty_workspace.folder(gathered_colours.name), "gather colours", inside=True),
        pytest.raises(KezakoError, match="in use by kezako gather colours"),
    ):
        clean(gathered_colours, an_empty_workspace)
