"""Two commands at once on one workspace: both end well, or one says what is in its way."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from itertools import combinations_with_replacement
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
    """Once each; `python scripts/pairs.py` runs them twenty times, and those with torch."""
    chance = random.Random(name)
    for pair in combinations_with_replacement(NAMES, 2):
        if pair[0] == name:
            stage.pair(tmp_path, pair, chance)
