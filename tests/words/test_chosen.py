"""Which language a browser gets, how sentences are filled in, and what an error says."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from kezako.model.remote import EngineError
from kezako.model.wording import consent
from kezako.pictures import NotAPicture, open_picture
from kezako.words import VisitorError, accepted, languages, words


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("de", "de"),
        ("de-CH, de;q=0.9, en;q=0.8", "de"),
        ("pt-BR,pt;q=0.9,en-US;q=0.8", "pt"),
        ("zh-Hans-CN", "zh"),
        ("zh-TW,en;q=0.5", "zh"),
        ("DE-at", "de"),
        ("sv,fi;q=0.9", "en"),
        ("sv, pl;q=0.3", "pl"),
        ("en;q=0.2, fr; q=0.7", "fr"),
        ("it;q=0, nl;q=0.1", "nl"),
        ("fr;q=0", "en"),
        ("en-GB,de", "en"),
        ("*", "en"),
        ("", "en"),
        ("de;q=nan", "en"),
        ("de;q=much,fr;q=0.1", "fr"),
        ("de;level=1", "en"),
        ("de;q=1e9,fr", "de"),
        ("xx" * 500 + ",de", "en"),
        ("../../etc/passwd", "en"),
        ("de\x00,__init__", "en"),
        (",;=,;q=", "en"),
    ],
)
def test_the_language_that_is_wanted_most(header: str, code: str) -> None:
    assert accepted(header) == code
    assert accepted(code) == code  # what a kernel is told is understood again


def test_a_code_without_a_table_is_english() -> None:
    assert words("tlh").code == words("../en").code == "en"


def test_a_value_is_not_looked_at_for_fields() -> None:
    said = words("en")("too_large", name="{size}{limit}.jpg", size=70, limit=64)
    assert said.startswith("{size}{limit}.jpg has 70 MB, and at most 64 MB")
    assert words("en")("ready", name="{__class__}") == "{__class__} is ready: press Classify."


@pytest.mark.parametrize(
    ("content", "key"),
    [(b"", "picture_empty"), (b"text", "picture_none"), (b"\xff\xd8\xff\xe0JFIF", "picture_none")],
)
def test_what_is_wrong_with_a_file_is_said_in_any_language(content: bytes, key: str) -> None:
    with pytest.raises(NotAPicture) as caught:
        open_picture(content)
    assert str(caught.value) == words("en")(key)
    said = {words(code).error(caught.value) for code in languages()}
    assert said == {words(code)(key) for code in languages()}
    assert len(said) == 10


def test_a_large_picture_says_its_size(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("1", (3000, 2000)).save(tmp_path / "p.png")
    with pytest.raises(NotAPicture) as caught:
        open_picture(tmp_path / "p.png", max_pixels=2_000_000)
    assert "(3000 × 2000 pixels)" in str(caught.value)
    assert "(3000 × 2000 Pixel)" in words("de").error(caught.value)
    assert "höchstens 2 Megapixeln" in words("de").error(caught.value)


@pytest.mark.parametrize("error", [NotAPicture("picture_unreadable", name="x"),
                                   EngineError("engine_busy", "Come back at noon.")])  # fmt: skip
def test_an_error_survives_another_process(error: VisitorError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (type(error), str(error))
    assert words("fr").error(copy) == words("fr").error(error)


def test_an_engines_own_sentence_is_for_english_speakers() -> None:
    error = EngineError("engine_busy", "Come back at noon.")
    assert words("en").error(error) == str(error) == "Come back at noon."
    assert words("de").error(error) == words("de")("engine_busy")


def test_consent_says_how_small_a_photo_is_kept() -> None:
    assert "(640 pixels)" in consent(640)
    assert "(640 Pixel)" in consent(640, words("de"))
