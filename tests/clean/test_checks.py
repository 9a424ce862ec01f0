"""Each check on arrays alone: what it scores high, what it leaves alone, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kezako.clean.checks import CHECKS, Finding, check, chosen, combine
from kezako.clean.evidence import Evidence


def some_evidence(**changed: Any) -> Evidence:
    """Eight pictures, four of cats and four of dogs, and nothing that speaks against any."""
    given = np.repeat(np.eye(2, dtype=np.int64), 4, axis=0)
    sure = np.where(given == 1, 0.95, 0.05)
    spread = np.linspace(0.2, 0.24, 8)
    evidence = Evidence(
        labels=("cat", "dog"),
        multi=False,
        folders=("cat",) * 4 + ("dog",) * 4,
        given=given,
        p=sure,
        votes=sure,
        distance=spread,
        rivals=((),) * 8,
        leaks=("",) * 8,
        sharpness=np.linspace(800, 900, 8, dtype=np.float32),
        drawn=np.full(8, 0.02, dtype=np.float32),
        shortest=np.full(8, 300),
    )
    return replace(evidence, **changed)


def with_first(values: Any, first: Any) -> Any:
    """A copy of `values` with another first entry."""
    changed = np.array(values, copy=True)
    changed[0] = first
    return changed


SPOILT = {
    "loss": ("p", (0.04, 0.96), "looks like dog (96 %), lies in cat"),
    "neighbours": ("votes", (0.1, 0.9), "most pictures like it lie in dog (90 %)"),
    "outlier": ("distance", 0.9, "unlike all other pictures"),
    "drawing": ("drawn", 0.3, "a drawing or text rather than a photo"),
    "poor": ("sharpness", 5.0, "blurred"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_the_spoilt_picture_alone_is_scored_and_told(name: str) -> None:
    column, value, reason = SPOILT[name]
    evidence = some_evidence()
    spoilt = replace(evidence, **{column: with_first(getattr(evidence, column), value)})
    found = CHECKS[name].run(spoilt)
    assert found.scores[0] >= 0.5
    assert found.scores[1:].max() < 0.2
    assert found.reasons[0] == reason


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_is_said_of_good_pictures(name: str) -> None:
    scores = CHECKS[name].run(some_evidence()).scores
    assert scores.shape == (8,)
    assert scores.min() >= 0
    assert scores.max() < 0.2


def test_a_picture_in_two_classes_is_a_conflict() -> None:
    found = CHECKS["conflict"].run(some_evidence(rivals=(("dog",),) + ((),) * 7))
    assert found.scores.tolist() == [1] + [0] * 7
    assert found.reasons[0] == "also lies in dog"


def test_a_validation_picture_that_is_in_training_is_a_leak() -> None:
    found = CHECKS["leak"].run(some_evidence(leaks=("cat/3fa2b1c9",) + ("",) * 7))
    assert found.scores.tolist() == [1] + [0] * 7
    assert found.reasons[0] == "the same photo as cat/3fa2b1c9, which is in training"


def test_a_tiny_picture_is_poor_however_sharp() -> None:
    found = CHECKS["poor"].run(some_evidence(shortest=with_first(np.full(8, 300), 40)))
    assert found.scores[0] == 1
    assert found.reasons[0] == "only 40 pixels small"


def test_softness_that_all_share_is_no_fault() -> None:
    # Face crops that were enlarged lie near 10, all of them.
    found = CHECKS["poor"].run(some_evidence(sharpness=np.linspace(8, 12, 8, dtype=np.float32)))
    assert found.scores.max() < 0.2


def test_drawings_among_drawings_are_no_fault() -> None:
    found = CHECKS["drawing"].run(some_evidence(drawn=np.full(8, 0.3, dtype=np.float32)))
    assert found.scores.max() == 0


def test_an_unsure_model_says_so() -> None:
    evidence = some_evidence()
    found = CHECKS["loss"].run(replace(evidence, p=with_first(evidence.p, (0.51, 0.49))))
    assert found.reasons[0] == "hardly looks like cat (51 %)"


def test_several_labels_are_judged_one_by_one() -> None:
    given = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    evidence = some_evidence(
        multi=True, folders=("cat", "dog+cat", "neither", "dog"), given=given, p=p
    )
    found = CHECKS["loss"].run(evidence)
    assert found.scores == pytest.approx([0.1, 0.9, 0.9, 0.1])
    assert found.reasons[1] == "looks like cat (90 %), lies in dog+cat"
    assert found.reasons[2] == "looks like dog (90 %), lies in neither"


def test_several_labels_find_the_folder_that_is_in_use() -> None:
    given = np.array([[1, 0], [1, 1], [0, 1]])
    p = np.array([[0.9, 0.9], [0.9, 0.9], [0.1, 0.1]])
    evidence = some_evidence(multi=True, folders=("cat", "dog+cat", "dog"), given=given, p=p)
    told = CHECKS["loss"].run(evidence).reasons
    assert told[0] == "looks like dog+cat (90 %), lies in cat"
    assert told[2] == "looks like neither (90 %), lies in dog"


def test_more_witnesses_make_a_higher_score() -> None:
    one, two = np.array([0.8, 0.0]), np.array([0.5, 0.0])
    both = combine([one, two], [0.9, 0.5])
    assert both.tolist() == pytest.approx([1 - 0.28 * 0.75, 0])
    assert both[0] > combine([one], [0.9])[0]


@pytest.fixture
def a_check_of_my_own() -> Iterator[str]:
    @check("mine", weight=0.2)
    def mine(evidence: Evidence) -> Finding:
        return Finding(np.ones(len(evidence.given)), ["because"] * len(evidence.given))

    yield "mine"
    del CHECKS["mine"]


def test_a_check_is_found_by_its_name(a_check_of_my_own: str) -> None:
    assert [known.weight for known in chosen([a_check_of_my_own])] == [0.2]
    assert a_check_of_my_own in [known.name for known in chosen()]


def test_an_unknown_check_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'bluriness' is no check; known are loss, neighbours"):
        chosen(["bluriness"])


def test_a_weight_beyond_certainty_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1, not 3"):
        check("heavy", weight=3)
