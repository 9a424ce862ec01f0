"""The heat is where the evidence for the answer is, and nowhere where a bundle cannot tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kezako.model import explanation
from kezako.model.bundle import HEAD, BundleError, Preprocessing, amend
from kezako.model.classifier import Classifier, Scores, prepare
from tests.looking import CELLS, tells_why

Bundle = Callable[..., Path]
COLOURS = {"red": (230, 20, 20), "green": (20, 230, 20), "blue": (20, 20, 230)}
GREY = (124, 116, 104)  # the mean colour: speaks for nothing
CORNERS = {"top left": (0, 0), "top right": (1, 0), "bottom left": (0, 1), "bottom right": (1, 1)}


def coloured(colour: str, corner: tuple[int, int], size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A grey picture with a square of `colour` in one corner."""
    image = Image.new("RGB", size, GREY)
    width, height = size[0] // 4, size[1] // 4
    left, top = 3 * width * corner[0], 3 * height * corner[1]
    image.paste(COLOURS[colour], (left, top, left + width, top + height))
    return image


@pytest.fixture
def a_classifier(a_bundle: Bundle, tmp_path: Path) -> Callable[..., Classifier]:
    def build(**card: object) -> Classifier:
        return Classifier.open(tells_why(a_bundle(tmp_path, "colours", tuple(COLOURS), **card)))

    return build


@pytest.mark.parametrize("task", ["single", "multi"])
@pytest.mark.parametrize("corner", CORNERS.values(), ids=CORNERS)
def test_the_heat_is_greatest_where_the_evidence_is(
    corner: tuple[int, int], task: str, a_classifier: Callable[..., Classifier]
) -> None:
    classifier = a_classifier(task=task)
    for colour in COLOURS:
        scores = classifier.run(classifier.prepare(coloured(colour, corner))[None])
        assert classifier.answer(scores).label == colour
        heat = classifier.why(scores, colour)
        assert heat is not None
        assert heat.shape == (CELLS, CELLS)
        assert heat.min() == pytest.approx(0, abs=0.01)
        assert heat.max() == 1
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        assert (int(column), int(row)) == (corner[0] * (CELLS - 1), corner[1] * (CELLS - 1))


def test_each_label_has_its_own_heat(a_classifier: Callable[..., Classifier]) -> None:
    classifier = a_classifier()
    picture = coloured("red", CORNERS["top left"])
    picture.paste(COLOURS["blue"], (48, 48, 64, 64))
    scores = classifier.run(classifier.prepare(picture)[None])
    red, blue = classifier.why(scores, "red"), classifier.why(scores, "blue")
    assert red is not None and blue is not None  # noqa: PT018
    assert red[0, 0] == blue[-1, -1] == 1
    assert red[-1, -1] == blue[0, 0] == 0


def test_where_no_part_speaks_for_it_there_is_no_heat(
    a_classifier: Callable[..., Classifier],
) -> None:
    classifier = a_classifier()
    scores = classifier.run(classifier.prepare(Image.new("RGB", (64, 64), (0, 0, 0)))[None])
    assert classifier.why(scores, "red") is None


def test_each_picture_of_a_batch_has_its_own_heat(a_classifier: Callable[..., Classifier]) -> None:
    classifier = a_classifier()
    pictures = [coloured("red", corner) for corner in CORNERS.values()]
    scores = classifier.run(np.stack([classifier.prepare(picture) for picture in pictures]))
    for n, (across, down) in enumerate(CORNERS.values()):
        heat = classifier.why(scores[n], "red")
        assert heat is not None
        assert heat[-down, -across] == 1


def test_a_bundle_without_map_or_head_answers_all_the_same(
    a_bundle: Bundle, tmp_path: Path
) -> None:
    classifier = Classifier.open(a_bundle(tmp_path, "colours", tuple(COLOURS)))
    scores = classifier.run(classifier.prepare(coloured("red", (0, 0)))[None])
    assert classifier.answer(scores).label == "red"
    assert scores[0].map is None
    assert classifier.why(scores, "red") is None


@pytest.mark.parametrize("content", [b"no model", None], ids=["rubbish", "other classes"])
def test_a_head_that_does_not_fit_is_refused(
    content: bytes | None, a_bundle: Bundle, tmp_path: Path
) -> None:
    other = tells_why(a_bundle(tmp_path, "other", ("a", "b", "c", "d")))
    folder = tells_why(a_bundle(tmp_path, "colours", tuple(COLOURS)))
    amend(folder, {HEAD: content or (other / HEAD).read_bytes()})
    with pytest.raises(BundleError, match=r"head\.onnx"):
        Classifier.open(folder)


def test_a_fine_map_is_asked_about_in_few_parts() -> None:
    asked = []

    def head(features: np.ndarray) -> np.ndarray:
        asked.append(len(features))
        return features[:, 2:] - features[:, :2]

    cells = np.zeros((2, 40, 24), np.float32)
    cells[0, 30, 4] = 1000
    found = explanation.falls(cells, np.zeros_like(cells), head, 0, multi=True)
    assert found.shape == (8, 8)
    assert asked == [65]


def test_scores_keep_their_map_when_one_is_taken() -> None:
    cells = np.arange(16, dtype=np.float32).reshape(2, 2, 2, 2)
    both = Scores(np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float32), cells)
    assert both[1].map is not None
    assert np.array_equal(both[1].map, cells[1:])


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (97, 240), (200, 200)])
@pytest.mark.parametrize("method", ["crop", "squish", "pad", "random-crop"])
def test_the_heat_lies_over_what_the_model_saw_there(method: str, size: tuple[int, int]) -> None:
    """A white spot is found in the model's view; heat at that place covers the spot."""
    how = Preprocessing(96, method)  # type: ignore[arg-type]
    width, height = size
    for x, y in ((0.3, 0.35), (0.5, 0.5), (0.62, 0.4), (0.4, 0.7)):
        picture = Image.new("L", size)
        spot = (int(x * width) - 6, int(y * height) - 6, int(x * width) + 6, int(y * height) + 6)
        picture.paste(255, spot)
        view = prepare(picture.convert("RGB"), how)[0].reshape(6, 16, 6, 16).mean(axis=(1, 3))
        shares = (view - view.min()) / (view - view.min()).sum()  # of the spot, in each cell
        heat = explanation.over(shares.astype(np.float32), how, size)
        assert heat.shape == (height, width)
        rows, columns = np.mgrid[:height, :width] + 0.5
        found = (columns * heat).sum() / heat.sum(), (rows * heat).sum() / heat.sum()
        cell = max(size) / 6
        assert abs(found[0] - (spot[0] + 6)) < cell / 2
        assert abs(found[1] - (spot[1] + 6)) < cell / 2


def test_there_is_no_heat_where_the_model_did_not_look() -> None:
    hot = np.ones((6, 6), np.float32)
    cropped = explanation.over(hot, Preprocessing(96, "crop"), (300, 100))
    assert not cropped[:, :100].any()
    assert not cropped[:, 200:].any()
    assert cropped[:, 120:180].min() == 1
    edges = explanation.over(hot, Preprocessing(224, "random-crop"), (256, 256))
    assert not edges[:16].any()
    assert edges[60:196, 60:196].min() == 1
    for whole in ("squish", "pad"):
        assert explanation.over(hot, Preprocessing(96, whole), (300, 100)).min() == 1  # type: ignore[arg-type]


def test_the_hottest_is_the_brightest_and_the_photo_shows_through() -> None:
    heat = np.zeros((40, 60), np.float32)
    heat[:, 30:] = 1
    picture = Image.new("RGB", (60, 40), (90, 60, 30))
    picture.paste((255, 255, 255), (0, 0, 60, 20))
    pixels = np.asarray(explanation.laid_over(picture, heat).convert("L")).astype(int)
    assert pixels.shape == (40, 60)
    assert pixels[30, 50] > pixels[30, 10] + 60
    assert pixels[10, 10] > pixels[30, 10] + 60
    assert pixels[10, 50] > pixels[30, 50] + 20
