"""Every shipped recipe the whole way: gathered from the stand-in's web, trained, served, asked.

Cut to a few small pictures a class and one or two epochs, so that all five fit a test run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from playwright.sync_api import Page, expect

from kezako.dataset.manifest import Manifest
from kezako.model.classifier import Classifier
from kezako.model.wording import headline
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.page.visitor import Visitor
from tests.servers import ROOT, serving
from tests.standin import Standin
from tests.standin.pictures import address
from tests.standin.server import shared_photos

pytestmark = [pytest.mark.slow, pytest.mark.hosts]

DEADLINE = 600  # seconds for one command, on a busy machine
# Recipe -> the source that answers it; the sites of those before it in the recipe refuse.
ANSWERS = {
    "bears": "duckduckgo",
    "emotions": "ddgs",
    "icons": "openverse",
    "lookalikes": "wikimedia",
    "faces": "duckduckgo",
}
REFUSING = {
    "duckduckgo": (),
    "ddgs": ("duckduckgo",),
    "openverse": ("duckduckgo", "bing"),
    "wikimedia": ("duckduckgo", "bing", "openverse"),
}
CUT = {"pictures_per_class": 16, "image_size": 64, "epochs": 1, "learning_rate": 0.004}
MORE: dict[str, dict[str, object]] = {
    "emotions": {"safe": "false"},  # or Bing is not asked
    "faces": {
        "pictures_per_class": 24,
        "epochs": 2,
        "image_size": 96,
    },  # to say "neither" it must have learnt
}


@pytest.fixture(scope="module")
def the_web() -> Iterator[Standin]:
    standin = Standin(shared_photos()).start()
    yield standin
    standin.stop()


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("five").resolve())


@pytest.fixture(scope="module")
def made(five: Workspace, the_web: Standin) -> Callable[[str], Recipe]:
    """Gathers and trains a recipe by the command line, once."""

    @cache
    def make(name: str) -> Recipe:
        the_web.reset()
        for site in REFUSING[ANSWERS[name]]:
            the_web.play(site, status=403)
        _cut_recipe(five, name)
        for stage in ("gather", "train"):
            done = subprocess.run(
                [sys.executable, "-m", "kezako", stage, name],
                cwd=five.root,
                env={**os.environ, **_variables(five), **the_web.environment()},
                capture_output=True,
                text=True,
                timeout=DEADLINE,
            )
            assert done.returncode == 0, f"{stage} {name}\n{done.stdout}\n{done.stderr}"
        return five.recipe(name)

    return make


@pytest.fixture(scope="module")
def a_server(five: Workspace) -> Iterator[str]:
    """The address of one server for all that are trained."""
    yield from serving(["-m", "kezako", "serve", "--no-browser", "--port", "{port}"], five.root)


@pytest.mark.parametrize("name", ANSWERS)
def test_each_class_is_gathered_from_the_source_that_answers(
    name: str, made: Callable[[str], Recipe], five: Workspace
) -> None:
    recipe = made(name)
    with Manifest(five.folder(name)) as manifest:
        kept = manifest.kept()
    assert {row.source for row in kept} == {ANSWERS[name]}
    for folder in recipe.folders:
        assert sum(row.folder == folder for row in kept) == recipe.pictures_per_class


@pytest.mark.browser
@pytest.mark.parametrize("name", ANSWERS)
def test_its_page_answers(
    name: str,
    made: Callable[[str], Recipe],
    five: Workspace,
    the_web: Standin,
    a_server: str,
    a_desk: Page,
) -> None:
    recipe = made(name)
    (photo,) = _unseen(five, the_web, recipe, recipe.labels[0])
    visitor = Visitor(a_desk).opens(f"{a_server}?model={name}")
    expect(a_desk.locator("h1")).to_have_text(recipe.title)
    said = visitor.chooses("a photo.jpg", photo).reads()
    classifier = Classifier.open(five.bundle(name))
    assert said == headline(classifier.card, classifier.predict(photo))
    assert said == "None of these" or any(label in said for label in recipe.labels)
    assert visitor.bars.count() == len(recipe.labels)


def test_faces_says_neither_for_landscapes_and_names_faces(
    made: Callable[[str], Recipe], five: Workspace, the_web: Standin
) -> None:
    recipe = made("faces")
    classifier = Classifier.open(five.bundle("faces"))

    def said(folder: str) -> list[str]:
        photos = _unseen(five, the_web, recipe, folder, 10)
        return [headline(classifier.card, classifier.predict(photo)) for photo in photos]

    neither = ("Neither female nor male.", "None of these")
    landscapes, people = said("neither"), said("female") + said("male")
    assert sum(each.startswith(neither) for each in landscapes) >= 8, landscapes
    assert sum(each.startswith("This looks like: ") for each in people) >= 14, people


def _cut_recipe(workspace: Workspace, name: str) -> None:
    text = (ROOT / "data" / name / "recipe.toml").read_text(encoding="utf-8")
    settings = CUT | MORE.get(name, {})
    text = re.sub(rf"(?m)^({'|'.join(settings)}) *=.*\n", "", text)
    lines = [f"{key} = {value}" for key, value in settings.items()]
    folder = workspace.folder(name)
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text("\n".join([*lines, text]), encoding="utf-8")


def _unseen(
    workspace: Workspace, web: Standin, recipe: Recipe, folder: str, count: int = 1
) -> list[bytes]:
    """Pictures of a class that the gathering did not fetch."""
    paths = web.pictures.paths(recipe.folders[folder][0])
    with Manifest(workspace.folder(recipe.name)) as manifest:
        fetched = {row.url for row in manifest.rows() if row.fetched_at}
    new = [path for path in reversed(paths) if address(path) not in fetched]
    return [bytes(web.pictures.read(path) or b"") for path in new[:count]]


def _variables(workspace: Workspace) -> dict[str, str]:
    return {
        "KEZAKO_HOME": str(workspace.root),
        "KEZAKO_WEIGHTS": "starter",
        "PYTHONPATH": str(ROOT),
    }
