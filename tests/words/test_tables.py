"""Every language has every sentence, with the same fields, in its own words and quotes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kezako.serve import websocket
from kezako.translations import LANGUAGES
from kezako.words import IN_BROWSER, LISTED, languages, words

ROOT = Path(__file__).parents[2]
CODES = ("de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh")
OTHERS = tuple(code for code in CODES if code != "en")
ENGLISH = words("en").table()
# What is written alike in English and elsewhere.
SAME = {
    *(("comma", code) for code in ("de", "fr", "es", "it", "pt", "nl", "pl")),
    *(("picture_named", code) for code in ("de", "es", "it", "pt", "nl", "pl")),
    *(("so_many", code) for code in ("fr", "pt")),
}
LONGEST = {"another": 14, "why": 11, "share": 13, "correction_wrong": 14, "correction_right": 14}


def fields(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_there_are_ten_languages() -> None:
    assert languages() == CODES
    assert set(LANGUAGES) == set(CODES), "those that a recipe may name"


@pytest.mark.parametrize("code", OTHERS)
def test_none_lacks_a_sentence_or_has_one_too_many(code: str) -> None:
    assert list(words(code).table()) == list(ENGLISH), "the same keys in the same order"
    assert all(text for text in words(code).table().values())


@pytest.mark.parametrize("code", OTHERS)
def test_the_fields_are_those_of_english(code: str) -> None:
    table = words(code).table()
    assert {key: fields(table[key]) for key in ENGLISH} == {
        key: fields(text) for key, text in ENGLISH.items()
    }
    assert not [key for key, text in table.items() if re.sub(r"\{\w+\}", "", text).count("{")]


@pytest.mark.parametrize("code", OTHERS)
def test_each_is_translated(code: str) -> None:
    table = words(code).table()
    same = {(key, code) for key in ENGLISH if table[key] == ENGLISH[key]}
    assert same == {one for one in SAME if one[1] == code}


@pytest.mark.parametrize("code", CODES)
def test_quotes_and_spaces_are_those_of_print(code: str) -> None:
    for key, text in words(code).table().items():
        assert not set("\"'`´") & set(text), (key, text)
        assert key in ("comma", "or", "and", "nor") or text == text.strip(), (key, text)
        assert "  " not in text, (key, text)
        if code in ("ja", "zh"):
            assert not set(text) & set("?!;"), (key, text)  # these have wide ones
        if code == "fr":
            assert not re.search(r"[^\xa0][:»]|[^\u202f][;?!]|«[^\xa0]", text), (key, text)


@pytest.mark.parametrize("code", CODES)
def test_buttons_fit_in_one_row_of_a_phone(code: str) -> None:
    say = words(code)
    wide = 2 if code in ("ja", "zh") else 1  # such a letter takes the room of two
    for key, most in LONGEST.items():
        assert wide * len(say(key)) <= most, (key, say(key))


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_about_a_button_names_it_as_it_is_called(code: str) -> None:
    say = words(code)
    for key in ("ready", "engine_lost", "engine_busy"):
        assert say("classify") in say(key), key
    assert say("share") in say("share_again")


@pytest.mark.parametrize("code", CODES)
def test_a_websocket_can_carry_why_a_visit_ended(code: str) -> None:
    endings = [each for each in vars(websocket).values() if isinstance(each, tuple)]
    assert len(endings) == 7
    for status, key in endings:
        assert 1000 <= status < 5000
        assert len(words(code)(key).encode()) <= 123, key


@pytest.mark.parametrize(
    ("code", "two", "three", "many"),
    [
        ("en", "a or b", "a, b or c", "any of 7 classes"),
        ("de", "a oder b", "a, b oder c", "eine von 7 Klassen"),
        ("pl", "a lub b", "a, b lub c", "żadną z 7 klas"),
        ("ja", "aかb", "a、bかc", "7クラスのいずれか"),
        ("zh", "a或b", "a、b或c", "7 个类别中的任何一个"),
    ],
)
def test_lists(code: str, two: str, three: str, many: str) -> None:
    say = words(code)
    assert [say.listed(list("abc")[:n], "or") for n in (1, 2, 3)] == ["a", two, three]
    assert say.listed(list("abcdefg"), "or") == many
    assert LISTED == 6


def test_the_script_has_the_english_of_the_table() -> None:
    script = (ROOT / "frontend" / "src" / "words.js").read_text("utf-8")
    block = script.partition("const ENGLISH = {")[2].partition("\n};")[0]
    own = dict(re.findall(r'^ {2}(\w+):\s*"([^"]*)",$', block, re.MULTILINE))
    assert block.count(":") >= len(own) > 10
    assert own == {key: ENGLISH[key] for key in own}
    template = ROOT / "voila_snapshot/template/voila/templates/kezako/index.html.j2"
    drawn = dict(re.findall(r'words\.(\w+) \| default\("([^"]*)"\)', template.read_text("utf-8")))
    assert drawn == {key: ENGLISH[key] for key in ("noscript", "late")}
    assert {*own, *drawn} == set(IN_BROWSER), "name in IN_BROWSER what script and template say"


@pytest.mark.parametrize("key", IN_BROWSER)
def test_the_script_uses_what_it_is_given(key: str) -> None:
    folder = ROOT / "frontend" / "src"
    sources = [path for path in folder.rglob("*.js") if path != folder / "words.js"]
    sources += [*(ROOT / "voila_snapshot" / "template").rglob("index.html.j2")]
    used = re.compile(rf'"{key}"|words\.{key}\b')
    assert any(used.search(source.read_text("utf-8")) for source in sources)
