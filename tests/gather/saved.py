"""Words for tests of gathering: recipes, and pictures that a person saved."""

from __future__ import annotations

import io
import json
from pathlib import Path

from PIL import Image

from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.recipe import Recipe, parse_recipe
from kezako.workspace import Workspace
from tests.standin.pictures import draw


def recipe_of(name: str, wanted: int = 12, top: str = "", /, **classes: list[str]) -> Recipe:
    """A recipe of these classes with their queries; `top` is more of its TOML."""
    lines = [f"pictures_per_class = {wanted}", top, "[classes]"]
    lines += [f"{folder} = {json.dumps(queries)}" for folder, queries in classes.items()]
    return parse_recipe("\n".join(lines), name)


def write_recipe(workspace: Workspace, name: str, wanted: int, *classes: str) -> None:
    """The same on disk, for the command line."""
    folder = workspace.folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"pictures_per_class = {wanted}", "[classes]"]
    lines += [f'{each} = ["{each} shape"]' for each in classes]
    (folder / "recipe.toml").write_text("\n".join(lines), encoding="utf-8")


def jpeg(number: int = 0) -> bytes:
    """A picture that is near to no other of its kind."""
    return draw("saved", number)


def picture(number: int = 0) -> Image.Image:
    return Image.open(io.BytesIO(jpeg(number))).convert("RGB")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def save(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def rows_of(workspace: Workspace, name: str, **where: object) -> list[Row]:
    with Manifest(workspace.folder(name)) as manifest:
        return manifest.rows(**where)


def files_below(folder: Path) -> list[str]:
    """Every file, as a path below `folder`."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
