"""A crowd comes, classifies and leaves in every way: each got its own answer, nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.serving import strangers
from benchmarks.serving.peers import Server, kezako
from benchmarks.serving.pictures import Picture, told_apart
from kezako.model.classifier import Classifier
from tests.page.photos import encoded

VISITORS = 20
AT_ONCE = 5
PATIENCE = 120  # seconds until the last kernel has to be gone on a busy machine
# Silent ones are noticed by the second ping that they do not answer: a minute, so not here.
WAYS = {way: share for way, share in strangers.WAYS.items() if way != "fall silent"}


@pytest.fixture(scope="module")
def a_home(tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]) -> Path:
    home = tmp_path_factory.mktemp("crowd")
    a_bundle(home / "models", "colours", ("red", "green", "blue"))
    return home


@pytest.fixture(scope="module")
def some_pictures(a_home: Path) -> list[Picture]:
    """Eight shades about the mean of photographs, where no answer is certain."""
    classifier = Classifier.open(a_home / "models" / "colours")
    shades = (
        Image.new("RGB", (60, 60), (124 + step, 116, 104 - step)) for step in range(-20, 21, 2)
    )
    return told_apart(classifier, (encoded(shade, "PNG") for shade in shades), 8)


def test_a_crowd_leaves_nothing_behind(a_home: Path, some_pictures: list[Picture]) -> None:
    with kezako(home=a_home, name="colours", KEZAKO_OPENING="2", KEZAKO_RETURNING="1") as server:
        before, tally, after = asyncio.run(story(server, some_pictures))
        assert tally.failed == []
        assert tally.wrong == []
        assert tally.answers >= VISITORS // 2
        assert set(tally.ways) == set(WAYS)
        assert (after.kernels, before.kernels) == (0, 0)
        assert after.held.processes == before.held.processes
        # Each visitor took four or more: one leak would show in all of them.
        assert after.held.descriptors < before.held.descriptors + VISITORS // 2
        assert "Traceback" not in server.said(10**6)


async def story(
    server: Server, pictures: list[Picture]
) -> tuple[strangers.Rest, strangers.Tally, strangers.Rest]:
    first = {"close the tab": 1}  # what these make the server load, it keeps
    await strangers.crowd(server.address, pictures, AT_ONCE, AT_ONCE, ways=first)
    before = await strangers.rest(server, PATIENCE)
    tally = await strangers.crowd(server.address, pictures, VISITORS, AT_ONCE, ways=WAYS)
    return before, tally, await strangers.rest(server, PATIENCE)


def test_an_answer_to_another_picture_would_be_seen(some_pictures: list[Picture]) -> None:
    bars = "".join(
        f'<li><span>{label}</span> <b>?</b><i><i style="width:{100 * value:.1f}%"></i></i></li>'
        for label, value in some_pictures[0].probabilities.items()
    )
    assert strangers.complaint(bars, some_pictures[0].probabilities) == ""
    for other in some_pictures[1:]:
        assert strangers.complaint(bars, other.probabilities)
    assert strangers.complaint("", some_pictures[0].probabilities)
