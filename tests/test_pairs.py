"""Two commands at once on one workspace: both end well, or one says what is in its way."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.needs import only_where
from tests.pairs import LIGHT, NAME, Stage, make_stage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.hosts,
    only_where(sys.platform != "win32", "commands that are forked"),
]
NAMES = [*LIGHT, "serve"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]) -> Stage:
    """With a classifier of a picture's mean colour, which needs no training."""
    labels = ("happy", "sad", "surprised")
    stage = make_stage(
        tmp_path_factory.mktemp("stage"), lambda workspace: a_bundle(workspace.models, NAME, labels)
    )
    stage.measure(tmp_path_factory.mktemp("alone"), NAMES)
    return stage


@pytest.mark.parametrize("name", NAMES)
def test_every_pair(stage: Stage, name: str, tmp_path: Path) -> None:
    """Once each with itself and the next two, so that each meets five; `python scripts/pairs.py`
    runs all of them twenty times, and those with torch."""
    chance = random.Random(name)
    place = NAMES.index(name)
    for other in (NAMES + NAMES)[place : place + 3]:
        stage.pair(tmp_path, (name, other), chance)
