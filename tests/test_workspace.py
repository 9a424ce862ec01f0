"""The workspace is found from anywhere in it, and nothing reaches outside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.errors import KezakoError
from kezako.recipe import RecipeError
from kezako.workspace import Workspace


@pytest.fixture
def a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KEZAKO_HOME", raising=False)
    recipe = tmp_path / "home" / "data" / "pets" / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text("[classes]\ncat = []\ndog = []\n")
    return (tmp_path / "home").resolve()


@pytest.mark.parametrize("below", [".", "data", "data/pets", "notebooks/deep"])
def test_it_is_found_from_any_folder_below(a_workspace: Path, below: str) -> None:
    (a_workspace / below).mkdir(parents=True, exist_ok=True)
    assert Workspace.find(a_workspace / below).root == a_workspace


def test_the_working_directory_is_where_the_search_starts(
    a_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(a_workspace / "data")
    assert Workspace.find().root == a_workspace


def test_somebody_elses_data_folder_is_no_workspace(a_workspace: Path) -> None:
    inner = a_workspace / "project"
    (inner / "data" / "tables").mkdir(parents=True)
    assert Workspace.find(inner).root == a_workspace


def test_a_folder_with_models_alone_is_a_workspace(a_workspace: Path) -> None:
    inner = a_workspace / "host"
    (inner / "models" / "pets").mkdir(parents=True)
    (inner / "models" / "pets" / "card.json").write_text("{}")
    assert Workspace.find(inner).root == inner


def test_where_there_is_none_it_is_the_start(tmp_path: Path, a_workspace: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert Workspace.find(elsewhere).root == elsewhere.resolve()


def test_the_environment_has_the_first_word(
    a_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEZAKO_HOME", str(tmp_path / "chosen"))
    assert Workspace.find(a_workspace).root == (tmp_path / "chosen").resolve()


def test_its_recipe_is_read(a_workspace: Path) -> None:
    assert Workspace(a_workspace).recipe("pets").labels == ("cat", "dog")
    with pytest.raises(RecipeError, match="There is no recipe"):
        Workspace(a_workspace).recipe("cars")


@pytest.mark.parametrize("name", ["..", "../pets", "a/b", "/etc", "", "a\0b", "a\\b"])
def test_no_name_reaches_outside(a_workspace: Path, name: str) -> None:
    workspace = Workspace(a_workspace)
    for place in (workspace.folder, workspace.pictures, workspace.recipe, workspace.bundle):
        with pytest.raises(ValueError, match=r"name"):
            place(name)


def test_a_notebook_of_ones_own_comes_before_the_packages(a_workspace: Path) -> None:
    workspace = Workspace(a_workspace)
    assert workspace.notebook("app").name == "app.ipynb"
    own = a_workspace / "notebooks" / "app.ipynb"
    own.parent.mkdir()
    own.write_text("{}")
    assert workspace.notebook("app") == own
    with pytest.raises(KezakoError, match=r"lost\.ipynb is missing"):
        workspace.notebook("lost")
