"""Names of every script and length, and "$x$", are legible in figures, whatever fonts there are."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from nbclient import NotebookClient

from kezako import fonts
from kezako.export.card import draw_confusion, show_confusion
from kezako.fonts import LONGEST, Lettering, legible

BEAR, WOLF, PANDA, EMOJI, FORMULA = "熊", "狼とキツネ", "판다", "🦊‍🔥", "$x^{$"
NAMES = (BEAR, "wolf", PANDA, FORMULA, EMOJI)
HAND = ("plot_reliability", "plot_gain")  # figures that hold no name


@pytest.fixture(autouse=True)
def _drawn_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = mpl.get_backend()
    mpl.use("Agg")
    _forget()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as that a glyph is missing
        yield
    plt.close("all")
    mpl.use(before)
    _forget()


def _forget() -> None:
    for asked in (fonts._installed, fonts._has, fonts._in):
        asked.cache_clear()


@pytest.fixture
def no_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with matplotlib's own fonts alone."""
    monkeypatch.setattr(fonts, "FAMILIES", ())


@pytest.fixture
def a_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A font that somebody installed after matplotlib had last looked: it knows one bear."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 700), (800, 700), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "bear"])
    builder.setupCharacterMap({ord(BEAR): "bear"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "bear": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "bear": (1000, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Kezako Bear", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800)
    builder.setupPost()
    builder.save(tmp_path / "bear.ttf")
    monkeypatch.setattr(fonts, "FAMILIES", ("Kezako Bear",))
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(tmp_path / "bear.ttf")])
    known = list(font_manager.fontManager.ttflist)
    monkeypatch.setattr(font_manager.fontManager, "ttflist", known)
    return "Kezako Bear"


def words(axes: Axes) -> tuple[list[str], list[str]]:
    """Beside and below, as they are drawn."""
    axes.figure.canvas.draw()
    beside, below = (axis.get_ticklabels() for axis in (axes.yaxis, axes.xaxis))
    return [text.get_text() for text in beside], [text.get_text() for text in below]


def a_matrix(*labels: str) -> Figure:
    return draw_confusion([[1] * len(labels)] * len(labels), labels)


def test_without_a_font_a_name_is_a_number_and_its_key_is_text(no_font: None) -> None:
    shown = ["1", "wolf", "3", FORMULA, "5"]
    assert words(a_matrix(*NAMES).axes[0]) == (shown, shown)
    key = f"1 = {BEAR}; 3 = {PANDA}; 5 = {EMOJI}"
    assert Lettering(NAMES).key == key
    assert show_confusion(NAMES) == f"![confusion matrix](confusion.png) In it: {key}."


def test_with_a_font_it_is_itself(a_font: str) -> None:
    (axes,) = a_matrix(*NAMES).axes
    assert words(axes)[0] == [BEAR, "wolf", "3", FORMULA, "5"]
    assert axes.get_yticklabels()[0].get_fontfamily()[-1] == a_font
    assert BEAR not in Lettering(NAMES).key


def test_names_that_all_fonts_have_need_none(a_font: str) -> None:
    names = ("bear", "Bär", "медведь", "αρκούδα")
    (axes,) = a_matrix(*names).axes
    assert words(axes)[0] == list(names)
    assert a_font not in axes.get_yticklabels()[0].get_fontfamily()
    assert show_confusion(names) == "![confusion matrix](confusion.png)"


@pytest.mark.parametrize("name", ["$x$", "$x^{$", r"$\frac{$", "a_b^c", r"\$", "$"])
def test_no_name_is_a_formula(name: str) -> None:
    figure = a_matrix(name, "other")
    assert words(figure.axes[0])[0] == [name, "other"]
    with legible([name]):
        axes = plt.subplots()[1]
        axes.set_title(name)
        plt.tight_layout()  # which reads what would be a formula
    axes.figure.canvas.draw()
    assert axes.get_title() == name


def test_a_long_name_leaves_room_for_the_matrix() -> None:
    long = "A name of a class, as long as " + "a whole sentence would be " * 8
    figure = a_matrix(long, "bear", "wolf")
    assert max(map(len, words(figure.axes[0])[0])) == LONGEST
    assert figure.axes[0].get_window_extent().width > 0.3 * figure.bbox.width


def test_names_that_begin_alike_are_told_apart() -> None:
    first, second = ("Ursus americanus, the black bear of " + where for where in ("NH", "BC"))
    assert words(a_matrix(first, second, "bear").axes[0])[0] == ["1", "2", "bear"]
    assert Lettering((first, second, "bear")).key == f"1 = {first}; 2 = {second}"


def test_whatever_else_is_written_has_no_boxes(no_font: None) -> None:
    written = Lettering((BEAR, BEAR * 2))
    assert written(f"is {BEAR * 2}, said {BEAR}\n写真1") == "is 2, said 1\n??1"


def test_figures_of_others_are_legible(no_font: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """fastai's: titles, and names beside a grid."""
    told: list[str] = []
    monkeypatch.setattr(fonts, "_tell", told.append)
    earlier = plt.figure()
    with legible(NAMES):
        axes = plt.subplots()[1]
        axes.set_title(f"{BEAR}/{FORMULA} / 0.31")
        plt.xticks(range(2), [PANDA, "wolf"], rotation=90)
        plt.tight_layout()
    assert axes.get_title() == f"1/{FORMULA} / 0.31"
    assert words(axes)[1] == ["3", "wolf"]
    assert axes.get_xticklabels()[0].get_rotation() == 90
    assert told == [Lettering(NAMES).key]
    assert not earlier.axes
    assert mpl.rcParams["text.parse_math"]  # as it was: other figures may hold formulas
    with legible(["bear"]):
        plt.subplots()
    assert len(told) == 1


def test_a_notebook_tells_the_key_as_text() -> None:
    cell = nbformat.v4.new_code_cell(
        "%matplotlib inline\n"
        "import matplotlib.pyplot as plt\n"
        "from kezako import fonts as lettering\n"
        "lettering.FAMILIES = ()\n"
        f"with lettering.legible(['{BEAR}', '<b>']):\n"
        f"    plt.subplots()[1].set_title('{BEAR}')\n"
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, timeout=120).execute()
    kinds = [set(output.get("data", {})) for output in cell.outputs]
    assert [kind for kind in kinds if kind] == [
        {"text/html", "text/plain"},
        {"image/png", "text/plain"},
    ]
    assert f"In the figure: 1 = {BEAR}." in cell.outputs[0].data["text/html"]
    assert not [output for output in cell.outputs if output.output_type == "stream"]


def test_every_figure_with_names_is_lettered(the_repository: Path) -> None:
    drawing = {}
    for path in (the_repository / "kezako").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and path.stem != "lettering":
                calls = {ast.unparse(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
                if calls & {"plt.subplots", "plt.figure", "Figure"}:
                    drawing[node.name] = calls
    assert len(drawing) >= 7
    for name in set(drawing) - set(HAND):
        assert drawing[name] & {"legible", "Lettering"}, name


def test_the_notebook_letters_fastais_figures(the_repository: Path) -> None:
    notebook = json.loads((the_repository / "notebooks" / "train.ipynb").read_text("utf-8"))
    code = "".join(
        "".join(c["source"]) + "\n" for c in notebook["cells"] if c["cell_type"] == "code"
    )
    tree = ast.parse(code)
    within = [node for node in ast.walk(tree) if isinstance(node, ast.With)
              and "legible(" in ast.unparse(node.items[0])]  # fmt: skip
    drawn = (".show_batch(", ".plot_confusion_matrix(", "plot_worst(")
    count = sum(ast.unparse(tree).count(name) for name in drawn)
    assert count == sum(ast.unparse(node).count(name) for node in within for name in drawn) == 4
    for name in ("recipe.title", "recipe.labels"):  # in Markdown they are text as well
        told = [node for node in ast.walk(tree) if isinstance(node, ast.Call)
                and ast.unparse(node.func) == "Markdown" and name in ast.unparse(node)]  # fmt: skip
        assert told, name
        assert all("as_text" in ast.unparse(node) for node in told), name
