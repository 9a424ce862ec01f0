"""A training that could not end well is refused before it begins, in one sentence, everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kezako.cli import main
from kezako.dataset import readiness
from kezako.dataset.manifest import Manifest
from kezako.dataset.readiness import LEAST, NotReady, check_ready, next_step, too_few
from kezako.dataset.row import Row
from kezako.gather import adopt, gather_from
from kezako.gather.new import new_recipe
from kezako.gather.sample import CLASSES, draw_face
from kezako.model.bundle import read_card
from kezako.recipe import Recipe, parse_recipe
from kezako.workspace import Workspace

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def some_faces(
    an_empty_workspace: Workspace, gathered_faces: Callable[[Workspace, int], Recipe]
) -> Callable[[int], tuple[Recipe, Workspace]]:
    """Gathers as many faces of each mood as are asked for."""

    def gathered(each: int) -> tuple[Recipe, Workspace]:
        return gathered_faces(an_empty_workspace, each), an_empty_workspace

    return gathered


def without(workspace: Workspace, folder: str, left: int) -> None:
    """Delete the pictures of a class but for `left` of them."""
    for path in sorted((workspace.pictures("smileys") / folder).glob("*.jpg"))[left:]:
        path.unlink()


def test_ten_of_each_are_enough_and_nine_are_not(some_faces: Any) -> None:
    recipe, workspace = some_faces(LEAST)
    check_ready(recipe, workspace)
    without(workspace, "sad", LEAST - 1)
    with pytest.raises(NotReady) as caught:
        check_ready(recipe, workspace)
    assert str(caught.value) == (
        "smileys needs at least 10 pictures of each class to train on: sad has 9. "
        "Gather more with: kezako gather smileys, or kezako gather smileys --from FOLDER for your "
        "own."
    )


def test_a_class_without_any_is_named(some_faces: Any) -> None:
    recipe, workspace = some_faces(LEAST)
    without(workspace, "sad", 0)
    without(workspace, "happy", 2)
    with pytest.raises(NotReady, match=r"happy has 2, sad has none\. Gather more"):
        check_ready(recipe, workspace)


def test_no_pictures_at_all_are_told_so(an_empty_workspace: Workspace) -> None:
    new_recipe(an_empty_workspace, "my pets", ["cat", "dog"])
    recipe = an_empty_workspace.recipe("my pets")
    with pytest.raises(NotReady, match="my pets has no pictures yet") as caught:
        check_ready(recipe, an_empty_workspace)
    assert str(caught.value).endswith("kezako gather 'my pets'")
    assert not (an_empty_workspace.folder("my pets") / "manifest.db").exists()


def test_why_others_are_not_kept_is_told(some_faces: Any, tmp_path: Path) -> None:
    recipe, workspace = some_faces(4)
    (tmp_path / "small").mkdir()
    for number in range(30):
        draw_face("sad", 100 + number).resize((8, 8)).save(tmp_path / "small" / f"{number}.png")
    for number in range(2):
        (tmp_path / "small" / f"{number}.jpg").write_text("no picture")
    gather_from(recipe, workspace, tmp_path / "small", "sad")
    with pytest.raises(NotReady, match=r"sad has 4 \(30 too small, 2 unreadable\), surprised has"):
        check_ready(recipe, workspace)


def test_where_all_are_too_small_that_is_the_reason() -> None:
    recipe = parse_recipe("min_side = 40\n[classes]\ncat = []\ndog = []\n", "pets")
    own = Row("cat", "refused", "too small: 12 × 12 pixels")
    said = too_few(recipe, [], [own] * 30)
    assert "cat has none (30 too small), dog has none" in said
    assert "min_side" not in said, "a person's own are not bound by it"
    found = Row("cat", "refused", "too small: 39 × 90 pixels", "https://a.test/1.jpg")
    assert "only those of 40 pixels and more are taken: lower min_side" in too_few(
        recipe, [], [own, found]
    )


def test_test_pictures_are_not_trained_on() -> None:
    recipe = parse_recipe("[classes]\ncat = []\ndog = []\n", "pets")
    rows = [Row(name, "kept") for name in ("cat", "dog") for _ in range(LEAST)]
    assert not too_few(recipe, rows)
    rows[0].split = "test"
    assert f"cat has {LEAST - 1}." in too_few(recipe, rows)


def test_pictures_behind_a_link_count(
    some_faces: Callable[[int], tuple[Recipe, Workspace]], tmp_path: Path
) -> None:
    recipe, workspace = some_faces(LEAST)
    pictures = workspace.pictures(recipe.name)
    (pictures / "sad").rename(tmp_path / "elsewhere")
    (pictures / "sad").symlink_to(tmp_path / "elsewhere")
    check_ready(recipe, workspace)


def test_a_recipe_that_asks_for_too_few_is_told_the_setting(some_faces: Any) -> None:
    recipe, workspace = some_faces(5)
    with pytest.raises(NotReady, match="The recipe asks for 5: raise pictures_per_class in it"):
        check_ready(replace(recipe, pictures_per_class=5), workspace)


def test_of_many_classes_some_are_named() -> None:
    names = [f"kind{number:02}" for number in range(30)]
    recipe = parse_recipe("[classes]\n" + "".join(f"{name} = []\n" for name in names), "many")
    (row,) = [Row("kind00", "kept")]
    said = too_few(recipe, [row])
    assert "kind00 has 1, kind01 has none" in said
    assert "kind05" not in said
    assert "and so on: 25 more classes." in said


def test_each_label_of_several_counts() -> None:
    recipe = parse_recipe('task = "multi"\n[classes]\ncat = []\ndog = []\n', "pets")
    both, none = Row("cat+dog", "kept"), Row("neither", "kept")
    assert too_few(recipe, [both] * LEAST) == ""
    said = too_few(recipe, [both] * 3 + [none] * 20 + [Row("dog", "kept")] * 9)
    assert "cat has 3." in said
    assert "dog" not in said


def test_files_that_are_still_to_be_taken_in_may_be_enough(some_faces: Any, tmp_path: Path) -> None:
    recipe, workspace = some_faces(LEAST)
    sad = workspace.pictures("smileys") / "sad"
    shutil.move(sad, tmp_path / "sad")
    adopt(recipe, workspace)
    with pytest.raises(NotReady):
        check_ready(recipe, workspace, adopted=False)
    shutil.move(tmp_path / "sad", sad)
    check_ready(recipe, workspace, adopted=False)
    with pytest.raises(NotReady):
        check_ready(recipe, workspace)
    adopt(recipe, workspace)
    check_ready(recipe, workspace)


def test_gathering_and_cleaning_say_the_same(some_faces: Any, capsys: Any) -> None:
    recipe, workspace = some_faces(4)
    with Manifest(workspace.folder(recipe.name)) as manifest:
        said = next_step(recipe, manifest)
    assert said.startswith("smileys needs at least 10 pictures of each class")
    assert repr(adopt(recipe, workspace)).splitlines()[-1] == said
    assert f"<p>{said}</p>" in adopt(recipe, workspace)._repr_html_()
    assert main(["train", "smileys"]) == 2
    assert capsys.readouterr().err.endswith(f"kezako: {said}\n")


@pytest.mark.parametrize("arguments", [["train", "smileys"], ["clean", "smileys"]])
def test_it_is_told_before_anything_heavy_is_loaded(
    arguments: list[str], some_faces: Any, the_repository: Path
) -> None:
    _, workspace = some_faces(2)
    for mood in CLASSES:
        without(workspace, mood, 0)
    code = (
        "import sys; from kezako.cli import main; status = main(sys.argv[1:]); "
        "print(*sorted({'torch', 'fastai', 'papermill', 'sklearn', 'matplotlib'} "
        "& set(sys.modules)), status)"
    )
    adopt(workspace.recipe("smileys"), workspace)  # which sees that they are gone
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(the_repository)},
    )  # fmt: skip
    assert done.stdout == "2\n"
    assert "smileys has no pictures yet" in done.stderr


def fake_room(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10 * free, 9 * free, free))


def test_too_little_room_is_told_with_how_much(
    some_faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, workspace = some_faces(LEAST)
    fake_room(monkeypatch, 100 << 20)
    with pytest.raises(NotReady) as caught:
        check_ready(recipe, workspace)
    said = str(caught.value)
    assert said.startswith("A training of smileys writes up to ")
    assert f"and 100.0 MB are free where {workspace.root}" in said
    fake_room(monkeypatch, 1 << 30)
    check_ready(recipe, workspace)


def test_what_an_interrupted_training_left_counts_as_room(
    some_faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, workspace = some_faces(LEAST)
    needed = readiness._needed(recipe, workspace.folder(recipe.name), workspace.root)
    fake_room(monkeypatch, sum(needed.values()) - (50 << 20))
    with pytest.raises(NotReady):
        check_ready(recipe, workspace)
    with (workspace.folder(recipe.name) / "unfinished.part").open("wb") as part:
        part.truncate(60 << 20)
    check_ready(recipe, workspace)


def test_a_file_in_the_place_of_a_folder_is_named(some_faces: Any) -> None:
    recipe, workspace = some_faces(LEAST)
    workspace.models.write_text("")
    with pytest.raises(NotReady, match=r"models is a file, and a folder belongs there"):
        check_ready(recipe, workspace)
    workspace.models.unlink()
    workspace.models.mkdir()
    workspace.bundle("smileys").write_text("")
    with pytest.raises(NotReady, match=r"models/smileys is a file, and a folder belongs there"):
        check_ready(recipe, workspace)


def test_every_backbone_has_its_size() -> None:
    from typing import get_args

    from kezako.recipe import Backbone

    assert set(readiness.PARAMETERS) == set(get_args(Backbone))


def test_the_size_is_that_of_the_shipped_classifier(the_repository: Path) -> None:
    bears = the_repository / "models" / "bears"
    assert read_card(bears).training["recipe"]["backbone"] == "resnet18"
    exported = (bears / "export.pkl").stat().st_size / 4
    assert readiness.PARAMETERS["resnet18"] == pytest.approx(exported, rel=0.03)
