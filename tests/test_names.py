"""Names that mean the same are found alike, and no name does anything but stand there."""

from __future__ import annotations

import unicodedata

import pytest

from kezako.names import as_shown, spelling


@pytest.mark.parametrize(
    "other",
    [
        "Snow_Leopard",
        "snow-leopard",
        " SNOW  leopard ",
        "snow_-leopard",
        "ｓｎｏｗ　ｌｅｏｐａｒｄ",
    ],
)
def test_spellings_of_one_name_are_alike(other: str) -> None:
    assert spelling(other) == "snow leopard"


def test_unicode_has_one_form_but_its_letters_stay_apart() -> None:
    assert spelling(unicodedata.normalize("NFD", "BÄR")) == spelling("bär") != spelling("bar")
    assert spelling("STRASSE") == spelling("Straße")
    assert spelling("--") != spelling("__"), "a name of nothing but such signs is itself"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain name.jpg", "plain name.jpg"),
        (unicodedata.normalize("NFD", "Bär"), "Bär"),
        ("\x1b[31mred\r\n", r"\x1b[31mred\r\n"),
        ("photo\u202egpj.exe", r"photo\u202egpj.exe"),
        ("B\udce4r.jpg", r"B\xe4r.jpg"),  # how Python names a byte that is no UTF-8
        ("half \ud83d of it", r"half \ud83d of it"),
        ("熊　🐻‍❄️", "熊　🐻‍❄️"),
        ("می‌خواهم", "می‌خواهم"),
    ],
)
def test_a_name_is_shown_as_text(name: str, shown: str) -> None:
    assert as_shown(name) == shown
    shown.encode()  # so that a terminal and a manifest can take it
