"""Examples are pictures that were answered rightly and surely, and that the maker may show."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kezako.dataset.row import Row
from kezako.export.crossfit import Answers
from kezako.export.examples import candidates, credit_of, may_show, small_jpeg, write_examples
from kezako.model.bundle import Credit, Example
from kezako.model.classifier import Classifier

LABELS = ("red", "green", "blue")
PAGE = "https://commons.wikimedia.org/wiki/File:A_rose.jpg"
PURE = {"red": (250, 10, 10), "green": (10, 250, 10), "blue": (10, 10, 250)}
ORIENTATION = 0x0112


def own(number: int = 1, **values: Any) -> Row:
    usual: dict[str, Any] = {"folder": "red", "source": "folder", "id": number}
    return Row(**usual | values)


def found(licence: str | None, **values: Any) -> Row:
    usual = {"source": "wikimedia", "creator": "Ann", "title": "A rose", "page": PAGE}
    return own(**{**usual, "licence": licence, **values})


@pytest.mark.parametrize(
    "licence",
    [
        "CC0", "CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/)", "PDM",
        "Public domain", "Public Domain Mark 1.0", "CC BY 2.0", "CC BY", "CC BY-SA 4.0",
        "cc by-sa 3.0 de", "CC-BY-SA-4.0", "CC BY-SA 4.0,3.0,2.5", "CC BY-SA 3.0 igo",
        "CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)",
    ],
)  # fmt: skip
def test_licences_that_let_anyone_pass_a_picture_on(licence: str) -> None:
    assert may_show(found(licence))


@pytest.mark.parametrize(
    "licence",
    [
        None, "", "CC BY-NC 2.0", "CC BY-ND 4.0", "CC BY-NC-SA 2.0", "CC BY-NC-ND 2.0 (https://x)",
        "CC BY 2.0 nc", "CC BY 4.0 but not for you", "All rights reserved", "GFDL", "fair use",
        "not CC0", "CC SAMPLING+ 1.0", "CC0 (javascript:alert(1))", "Attribution",
    ],
)  # fmt: skip
def test_other_pictures_of_a_search_are_not_shown(licence: str | None) -> None:
    assert not may_show(found(licence))
    assert credit_of(found(licence)) is None


def test_the_maker_s_own_are_shown_without_a_credit() -> None:
    for source in ("folder", "zip"):
        assert may_show(own(source=source))
        assert credit_of(own(source=source)) is None


def test_a_visitor_gave_a_correction_to_train_with_alone() -> None:
    assert not may_show(own(source="correction"))
    assert not may_show(found("CC0", source="correction"))


@pytest.mark.parametrize(
    "values",
    [{"creator": None}, {"page": None, "url": None}, {"page": "javascript:alert(1)"},
     {"page": "https://a.example/\"onclick="}, {"page": "https://a.example/" + "x" * 3000}],
)  # fmt: skip
def test_a_picture_that_cannot_be_credited_is_not_shown(values: dict[str, object]) -> None:
    assert not may_show(found("CC BY 2.0", **values))


def test_a_credit_tells_title_maker_licence_and_change() -> None:
    row = found("CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)")
    assert credit_of(row) == Credit("“A rose” by Ann, CC BY 2.0, made smaller", PAGE)
    nameless = found("Public domain", creator=None, title=None)
    assert credit_of(nameless) == Credit("“untitled”, Public domain, made smaller", PAGE)


def test_a_stranger_s_title_is_one_short_line() -> None:
    credit = credit_of(found("CC0", title="x\u202e\n" * 500, creator="y" * 500))
    assert credit
    assert len(credit.text) < 300
    assert credit.text.isprintable()


def answered(p: list[list[float]], true: list[int], multi: bool = False) -> Answers:
    values = np.array(p)
    said = values >= 0.5 if multi else np.eye(3, dtype=bool)[values.argmax(axis=1)]
    return Answers(values, said, np.eye(3, dtype=bool)[true], multi)


@pytest.mark.parametrize("multi", [False, True])
def test_only_right_sure_and_known_answers_count_the_surest_first(multi: bool) -> None:
    p = [[0.92, 0.04, 0.04], [0.02, 0.96, 0.02], [0.94, 0.03, 0.03], [0.88, 0.06, 0.06],
         [0.99, 0, 0], [0.95, 0.01, 0.01]]  # fmt: skip
    answers = answered(p, [0, 0, 0, 0, 0, 0], multi)
    passes = np.array([True, True, True, True, False, True])
    rows = [own(1), own(2), own(3), own(4), own(5), found("CC BY-NC 2.0", id=6)]
    paths = [Path(f"{number}.jpg") for number in range(6)]
    chosen = candidates(answers, passes, LABELS, paths, rows)
    assert [(each.path.name, each.label) for each in chosen] == [("2.jpg", "red"), ("0.jpg", "red")]
    assert not candidates(answers, passes, LABELS, paths, [None] * 6)


def test_a_picture_of_several_classes_is_no_example_of_one() -> None:
    answers = Answers(
        np.array([[0.9, 0.9, 0.1]]), np.array([[True, True, False]]),
        np.array([[True, True, False]]), multi=True,
    )  # fmt: skip
    assert not candidates(answers, np.array([True]), LABELS, [Path("0.jpg")], [own()])


@pytest.fixture
def colours(a_bundle: Callable[..., Path], tmp_path: Path) -> Path:
    return a_bundle(tmp_path / "models", "colours", LABELS)


@pytest.fixture
def a_picture(tmp_path: Path) -> Callable[..., Path]:
    """Paints a picture of one colour, with metadata that nobody is to see."""

    def paint(name: str, colour: tuple[int, int, int], size: tuple[int, int] = (90, 60)) -> Path:
        exif = Image.Exif()
        exif[0x010E], exif[ORIENTATION] = "at home", 6
        path = tmp_path / name
        Image.new("RGB", size, colour).save(path, "JPEG", exif=exif, comment=b"secret")
        return path

    return paint


def test_six_are_written_spread_over_the_classes(
    colours: Path, a_picture: Callable[..., Path]
) -> None:
    true = [0, 0, 0, 0, 1, 1, 1, 2]
    names = [LABELS[label] for label in true]
    paths = [a_picture(f"{n}.jpg", PURE[name]) for n, name in enumerate(names)]
    answers = answered([list(np.eye(3)[label]) for label in true], true)
    rows = [own(number) for number in range(8)]
    chosen = candidates(answers, np.ones(8, bool), LABELS, paths, rows)
    examples = write_examples(colours, chosen, Classifier.open(colours).predict)
    assert [each.label for each in examples] == ["red", "green", "blue", "red", "green", "red"]
    assert [each.file for each in examples] == [f"examples/{n}.jpg" for n in range(1, 7)]
    classifier = Classifier.open(colours)
    for each in examples:
        assert classifier.predict(colours / each.file).label == each.label


def test_one_photo_is_shown_once(colours: Path, a_picture: Callable[..., Path]) -> None:
    paths = [a_picture(f"{n}.jpg", PURE["red"]) for n in range(3)]
    rows = [own(7, near=7), own(8, near=7), own(9)]
    answers = answered([[1.0, 0.0, 0.0]] * 3, [0] * 3)
    chosen = candidates(answers, np.ones(3, bool), LABELS, paths, rows)
    assert len(write_examples(colours, chosen, Classifier.open(colours).predict)) == 2


def test_what_the_page_would_answer_wrongly_is_left_out(
    colours: Path, a_picture: Callable[..., Path]
) -> None:
    paths = [a_picture("wrong.jpg", PURE["blue"]), a_picture("right.jpg", PURE["red"])]
    broken = paths[0].with_name("broken.jpg")
    broken.write_bytes(b"no picture")
    answers = answered([[1.0, 0.0, 0.0]] * 3, [0] * 3)
    rows = [own(1), found("CC0", id=2), own(3)]
    chosen = candidates(answers, np.ones(3, bool), LABELS, [*paths, broken], rows)
    assert write_examples(colours, chosen, Classifier.open(colours).predict) == (
        Example("examples/1.jpg", "red", credit_of(rows[1])),
    )


def test_an_example_is_small_upright_and_without_metadata(a_picture: Callable[..., Path]) -> None:
    jpeg = small_jpeg(a_picture("large.jpg", PURE["red"], (2000, 1000)))
    image = Image.open(io.BytesIO(jpeg))
    assert (image.format, image.size) == ("JPEG", (256, 512))  # it was stored turned
    assert not image.getexif()
    assert b"secret" not in jpeg
    assert b"at home" not in jpeg


def test_a_bundle_without_any_has_no_folder_for_them(colours: Path) -> None:
    assert write_examples(colours, [], Classifier.open(colours).predict) == ()
    assert not (colours / "examples").exists()
