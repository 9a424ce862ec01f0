"""`kezako predict`: a row for every file, in order, with the classifier's own answers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kezako.batch.run import predict
from kezako.cli import main
from kezako.model.classifier import Classifier
from kezako.workspace import Workspace
from tests.batch.conftest import COLOURS, rows_of

Draw = Callable[[Path, int], dict[str, str]]


def test_every_file_has_its_row_in_order(
    a_workspace_of_colours: Workspace, a_folder_of_pictures: Draw, tmp_path: Path
) -> None:
    drawn = a_folder_of_pictures(tmp_path / "pictures", 120)
    (tmp_path / "pictures" / "part 00" / "notes.txt").write_text("no picture")
    (tmp_path / "pictures" / ".hidden.png").write_bytes(b"hidden")
    sheet = tmp_path / "answers.csv"
    found = predict(a_workspace_of_colours, "colours", [str(tmp_path / "pictures")], sheet)
    rows = rows_of(sheet)
    answered = {row["path"]: row["label"] for row in rows if not row["problem"]}
    assert list(answered.items()) == list(drawn.items())
    (notes,) = [row for row in rows if row["problem"]]
    assert notes["path"].endswith("notes.txt")
    assert "not a picture" in notes["problem"]
    assert not any(value for name, value in notes.items() if name not in ("path", "problem"))
    assert str(found) == "40 red, 40 green, 40 blue, 1 with a problem."
    assert [path.name for path in tmp_path.iterdir() if "answers" in path.name] == ["answers.csv"]


@pytest.mark.parametrize("name", ["colours", "tints"])
def test_answers_are_the_classifiers_own(
    a_workspace_of_colours: Workspace, tmp_path: Path, name: str
) -> None:
    picture = tmp_path / "mixed.png"
    Image.new("RGB", (90, 50), (200, 180, 20)).save(picture)
    own = Classifier.open(a_workspace_of_colours.bundle(name)).predict(picture)
    predict(a_workspace_of_colours, name, [str(picture)], tmp_path / "answers.csv")
    (row,) = rows_of(tmp_path / "answers.csv")
    assert row["label"] == own.label
    assert row["known"] == "true"
    assert row.get("labels", own.label) == "; ".join(own.labels)
    for label in COLOURS:
        assert float(row[f"p_{label}"]) == pytest.approx(own.probabilities[label], abs=1e-5)


def test_without_a_table_it_says_a_line_each(
    a_workspace_of_colours: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KEZAKO_HOME", str(a_workspace_of_colours.root))
    Image.new("RGB", (40, 30), COLOURS["blue"]).save(tmp_path / "sky\x1b[31m.png")
    assert main(["predict", "colours", str(tmp_path)]) == 0
    said = capfd.readouterr().out
    assert said == f"{tmp_path}/sky\\x1b[31m.png: This is blue. (100 %)\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["nothing", "."], "no classifier"), (["colours", "missing.jpg"], "'missing.jpg'"),
     (["colours", "empty"], "no files in empty"),
     (["colours", "pipe"], "neither a file nor a folder"),
     (["colours", "one.png", "--csv", "no/where.csv"], "cannot be written")],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence(
    a_workspace_of_colours: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.setenv("KEZAKO_HOME", str(a_workspace_of_colours.root))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "one.png").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    assert main(["predict", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
