"""What most tests need: photos, and a workspace of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kezako.sample import CLASSES, draw_face
from kezako.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = Path(os.environ.get("KEZAKO_PHOTOS", ROOT.parent / "shared" / "photos"))


@pytest.fixture(scope="session")
def the_repository() -> Path:
    """The folder of pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def some_photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Class -> its photos, at least 20 each: bears where those exist, else drawn faces."""
    bears = PHOTOS / "bears"
    if bears.is_dir():
        return {folder.name: sorted(folder.glob("*.jpg")) for folder in sorted(bears.iterdir())}
    drawn = tmp_path_factory.mktemp("drawn")
    photos: dict[str, list[Path]] = {}
    for mood in CLASSES:
        photos[mood] = [drawn / f"{mood}-{number}.jpg" for number in range(20)]
        for number, path in enumerate(photos[mood]):
            draw_face(mood, number).save(path)
    return photos


@pytest.fixture
def an_empty_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace that the command line finds as well."""
    monkeypatch.setenv("KEZAKO_HOME", str(tmp_path))
    return Workspace(tmp_path.resolve())
