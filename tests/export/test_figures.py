"""The arithmetic of the card, on answers whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from kezako.export import metrics
from kezako.export.crossfit import Answers


def one_label(said: list[int], shown: list[int]) -> Answers:
    eye = np.eye(3, dtype=bool)
    return Answers(np.full((len(said), 3), 1 / 3), eye[said], eye[shown], multi=False)


def test_confusion_has_what_it_is_in_rows() -> None:
    matrix = metrics.confusion(one_label([0, 1, 1, 2], [0, 0, 1, 2]))
    assert matrix == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]


def test_error_by_class_counts_within_the_class() -> None:
    found = metrics.validation(one_label([0, 1, 1], [0, 0, 1]), ["a", "b", "c"])
    assert found["error_by_class"] == {"a": 0.5, "b": 0.0}, "none shows c: no figure for it"
    assert found["classes"]["b"] == {
        "wrong": 0, "pictures": 1, "error": 0.0,
        "error_interval": pytest.approx([0.0, 0.7935], abs=1e-4),
    }  # fmt: skip
    assert found["error"] == pytest.approx(1 / 3)


def test_of_several_labels_what_is_missed_counts_among_those_that_show_it() -> None:
    shown = np.zeros((50, 2), dtype=bool)
    shown[:2, 0] = True
    said = np.zeros((50, 2), dtype=bool)
    said[0, 0] = said[9, 1] = said[9, 0] = True
    found = metrics.validation(Answers(np.full((50, 2), 0.5), said, shown, multi=True), ["a", "b"])
    a, b = found["classes"]["a"], found["classes"]["b"]
    assert (a["wrong"], a["pictures"], a["shown"], a["missed"]) == (2, 50, 2, 0.5)
    assert (b["wrong"], b["shown"]) == (1, 0)
    assert "missed" not in b
    assert found["error"] == pytest.approx(3 / 100)
    assert found["wrong_pictures"] == pytest.approx(2 / 50)


def test_the_log_loss_is_that_of_what_is_shown() -> None:
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    eye = np.eye(3, dtype=bool)
    single = Answers(p, eye[[0, 2]], eye[[1, 2]], multi=False)
    assert metrics.losses(single).tolist() == pytest.approx([np.log(4), -np.log(0.8)])
    several = Answers(p, p > 0.5, eye[[1, 2]], multi=True)
    assert metrics.losses(several)[0] == pytest.approx(-np.log(0.5 * 0.25 * 0.75) / 3)
