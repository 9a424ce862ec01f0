"""What pictures say of one another: arithmetic on made-up features."""

from __future__ import annotations

import numpy as np
import pytest

from kezako.clean.evidence import likeliest, nearest, out_of_fold, own, unusual, vote

EACH = 30


def some_features(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Views (2, 90, 12) of three classes that lie apart, and what they are (90, 3)."""
    chance = np.random.default_rng(seed)
    given = np.repeat(np.eye(3, dtype=np.int64), EACH, axis=0)
    centres = chance.normal(0, 2, (3, 12))
    views = centres[given.argmax(1)] + chance.normal(0, 1, (2, 3 * EACH, 12))
    return views.astype(np.float32), given


def test_a_wrong_label_is_improbable_out_of_fold() -> None:
    views, given = some_features()
    wrong = given.copy()
    wrong[[0, 40]] = [0, 0, 1]
    p = out_of_fold(views, wrong, np.arange(len(wrong)), multi=False)
    assert p.sum(axis=1) == pytest.approx(1)
    assert set(np.argsort(own(p, wrong))[:2]) == {0, 40}
    assert (likeliest(p, multi=False) == given).all()


def test_a_copy_does_not_vouch_for_a_wrong_label() -> None:
    views, given = some_features()
    views[:, 1] = views[:, 0]  # two copies of one picture, both under the wrong class
    given[[0, 1]] = [0, 0, 1]
    apart, together = np.arange(len(given)), np.arange(len(given))
    together[1] = 0
    p = out_of_fold(views, given, together, multi=False)
    assert own(p, given)[:2].max() < 0.2
    indices, _ = nearest(views, together, count=1)
    assert indices[0, 0] != 1
    assert nearest(views, apart, count=1)[0][0, 0] == 1


def test_several_labels_each_have_a_probability() -> None:
    views, given = some_features()
    both = np.stack([given[:, 0] | given[:, 1], given[:, 1]], axis=1)  # one, both, none
    p = out_of_fold(views, both, np.arange(len(both)), multi=True)
    assert (likeliest(p, multi=True) == both).mean() > 0.97
    assert own(p, both).shape == (3 * EACH,)


def test_neighbours_vote_with_their_labels() -> None:
    views, given = some_features()
    wrong = given.copy()
    wrong[0] = [0, 0, 1]
    votes = vote(*nearest(views, np.arange(len(wrong))), wrong)
    assert votes.sum(axis=1) == pytest.approx(1)
    assert votes[0, 0] > 0.9


def test_neighbours_are_alike_however_many_are_compared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    views, given = some_features()
    groups = np.arange(len(given))
    whole = vote(*nearest(views, groups), given)
    monkeypatch.setattr("kezako.clean.evidence.CHUNK", 7)
    assert vote(*nearest(views, groups), given) == pytest.approx(whole)


def test_the_odd_one_out_is_unusual() -> None:
    scores = unusual([1.0, 1.1, 0.9, 1.05, 9.0])
    assert scores[4] > 50
    assert np.abs(scores[:4]).max() < 3


def test_values_that_are_all_alike_are_not_unusual() -> None:
    assert unusual([2.0, 2.0, 2.0]).tolist() == [0, 0, 0]


def test_a_class_of_one_picture_is_judged_all_the_same() -> None:
    views, given = some_features()
    views, given = views[:, : EACH + 1], given[: EACH + 1]
    p = out_of_fold(views, given, np.arange(len(given)), multi=False)
    assert p[EACH, 1] == 0  # no other fold had its class
    assert p[:EACH, 0].min() > 0.9


def test_pictures_of_one_group_cannot_be_compared() -> None:
    views, given = some_features()
    with pytest.raises(ValueError, match="too few pictures to compare; gather more"):
        out_of_fold(views, given, np.zeros(len(given), dtype=np.int64), multi=False)
