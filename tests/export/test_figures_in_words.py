"""A figure is told with what it was counted from, and with its interval."""

from __future__ import annotations

import pytest

from kezako.model.wording import errors, few, share

VALIDATION = {"pictures": 240, "error": 0.05, "error_interval": [0.029, 0.0855]}


def test_a_share_stands_before_its_interval() -> None:
    assert share(VALIDATION, "error") == "5.0 % (2.9 to 8.6 %)"


def test_a_terminal_is_told_how_many_of_how_many() -> None:
    assert errors(VALIDATION) == (
        "5.0 % (12 of 240 pictures; 95 % confidence interval: 2.9 to 8.6 %)."
    )
    assert "(36 of 720 yes-or-no answers; " in errors(VALIDATION, labels=3)


@pytest.mark.parametrize(("pictures", "most"), [(1, "79.3 %"), (20, "16.1 %"), (99, "3.7 %")])
def test_few_pictures_tell_little(pictures: int, most: str) -> None:
    assert few(pictures).endswith(f"the error could still be {most}.")
    assert errors(VALIDATION | {"pictures": pictures}).endswith(most + ".")


def test_many_pictures_need_no_word() -> None:
    assert few(100) == ""
