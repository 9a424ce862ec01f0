"""`folder` and `zip` as sources of a recipe: saved pictures are counted like found ones."""

from __future__ import annotations

import json
import zipfile

import pytest

from kezako.gather import gather
from kezako.gather.settings import Settings
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import jpeg, rows_of, save
from tests.standin import Standin


@pytest.mark.parametrize("source", ["folder", "zip"])
def test_saved_pictures_come_first_and_the_web_gives_the_rest(
    workspace: Workspace,
    shapes: Recipe,
    drawn_settings: Settings,
    source: str,
) -> None:
    saved = workspace.folder("shapes") / "saved"
    files = {f"Round/{number}.jpg": jpeg(number) for number in range(7)}
    if source == "folder":
        for name, data in files.items():
            save(saved / name, data)
    else:
        saved.mkdir(parents=True)
        with zipfile.ZipFile(saved / "mine.zip", "w") as box:
            for name, data in files.items():
                box.writestr(name, data)
    summary = gather(shapes, workspace, [source, "openverse"], drawn_settings)
    assert summary.kept == {"round": 12, "square": 12}
    mine = rows_of(workspace, "shapes", folder="round", status="kept", source=source)
    assert [row.title for row in mine] == [f"{number}.jpg" for number in range(7)]


def test_a_saved_picture_belongs_to_the_innermost_class(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings
) -> None:
    saved = workspace.folder("shapes") / "saved"
    save(saved / "round" / "Square_shape" / "1.jpg", jpeg(1))
    save(saved / "round" / "2.jpg", jpeg(2))
    assert gather(shapes, workspace, ["folder"], drawn_settings).kept == {"round": 1, "square": 1}


def test_a_web_source_cannot_name_a_file_of_this_machine(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    mine = save(workspace.folder("shapes") / "saved" / "round" / "1.jpg", jpeg(1))
    (good,) = drawn_standin.urls("round shape", 1)
    found = _results(mine.as_uri(), "folder:saved/round/1.jpg", good)
    drawn_standin.play("duckduckgo", path="/i.js", body=found)
    summary = gather(shapes, workspace, ["duckduckgo"], drawn_settings)
    assert summary.kept == {"round": 1, "square": 1}
    assert {row.url for row in rows_of(workspace, "shapes")} == {good}


def _results(*urls: str) -> bytes:
    keys = ("image", "thumbnail", "url")
    rows = [
        {"title": "x", "source": "y", "width": 512, "height": 384, **dict.fromkeys(keys, url)}
        for url in urls
    ]
    return json.dumps({"results": rows}).encode()
