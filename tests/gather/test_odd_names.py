"""File names of any system: taken, shown as text, and nothing later stumbles over them."""

from __future__ import annotations

import csv
import io
import os
import sys
import unicodedata
import zipfile
from pathlib import Path

import pytest

from kezako.cli import main
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.gather import adopt, gather, gather_from
from kezako.gather.settings import Settings
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.workspace import Workspace
from tests.gather.boxes import raw_folder_of, raw_zip_of
from tests.gather.saved import encoded, jpeg, picture, recipe_of, rows_of, save
from tests.needs import only_where

BEARS = recipe_of("bears", **{'"Bär"': ["bear"], '"медведь"': ["x"], '"クマ"': ["y"], "fox": ["z"]})
ESCAPE = "\x1b[31m"

bytes_in_names = only_where(sys.platform == "linux", "names that are bytes")


@pytest.fixture
def shapes_at_home(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """Round and square as a recipe on disk, for the command line too."""
    monkeypatch.setenv("KEZAKO_HOME", str(workspace.root))
    path = workspace.folder("shapes") / "recipe.toml"
    save(path, b'pictures_per_class = 12\n[classes]\nround = ["round shape"]\nsquare = []\n')
    return workspace.recipe("shapes")


def photos(first: int, *names: bytes) -> dict[bytes, bytes]:
    return {name: jpeg(number) for number, name in enumerate(names, first)}


@bytes_in_names
@pytest.mark.parametrize("dropped", [True, False])
def test_a_name_that_is_no_utf8_stops_nothing(
    dropped: bool,
    tmp_path: Path,
    workspace: Workspace,
    shapes_at_home: Recipe,
    drawn_settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = photos(0, b"round/Gr\xfc\xdfe.jpg", b"round/ok.jpg", b"round/\xff\xfe/\x1b]0;.jpg")
    files |= {b"round/k\xe4se.png": encoded(picture(7), "PNG"), b"round/no\x9f.txt": b"no"}
    files |= photos(20, *(b"square/%d.jpg" % n for n in range(4)))
    place = workspace.pictures("shapes") if dropped else tmp_path / "saved"
    raw_folder_of(place, files)
    for _ in range(2):
        summary = (
            adopt(shapes_at_home, workspace)
            if dropped
            else gather_from(shapes_at_home, workspace, place)
        )
        assert summary.kept == {"round": 4, "square": 4}
    assert gather(shapes_at_home, workspace, ["openverse"], drawn_settings).kept["round"] == 12
    titles = {row.title for row in rows_of(workspace, "shapes", source="folder")}
    round_ = "" if dropped else "round/"
    assert {rf"{round_}Gr\xfc\xdfe.jpg", rf"{round_}k\xe4se.png", rf"{round_}no\x9f.txt"} <= titles
    pictures = Pictures(shapes_at_home, workspace)
    assert len(pictures.paths) == 24
    assert all(path.is_file() and str(path).isprintable() for path in pictures.paths)
    for command in (["pictures", "shapes"], ["pictures", "shapes", "--csv"], ["credits", "shapes"]):
        assert main(command) == 0
        said = capsys.readouterr().out
        assert (r"Gr\xfc\xdfe.jpg" in said) == (command[0] == "pictures")
        assert said.replace("\n", "").isprintable(), "no escape reaches the terminal"


@bytes_in_names
def test_a_folder_that_is_no_utf8_is_said_as_text(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    files = photos(0, b"round/1.jpg", b"caf\xe9/2.jpg", f"{ESCAPE}evil/3.jpg".encode())
    (note,) = gather_from(shapes, workspace, raw_folder_of(tmp_path / "s", files)).notes
    assert r"caf\xe9 (1)" in note
    assert r"\x1b[31mevil (1)" in note
    assert note.isprintable()


@bytes_in_names
def test_a_box_whose_own_name_is_no_utf8_is_taken(
    tmp_path: Path, workspace: Workspace, shapes_at_home: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    box = raw_folder_of(
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xe4")), photos(0, b"round/1.jpg", b"x/2.jpg")
    )
    assert main(["gather", "shapes", "--from", str(box)]) == 0
    out = capsys.readouterr().out
    assert r"Left out of d\xe4" in out
    out.encode()


@pytest.mark.parametrize(
    ("page", "folder"),
    [
        ("utf-8", unicodedata.normalize("NFD", "Bär")),  # the Finder's
        ("cp850", "Bär"), ("cp437", "Bär"), ("cp1252", "BÄR"), ("cp1250", "Bär"),
        ("cp866", "медведь"), ("cp1251", "Медведь"), ("koi8-r", "медведь"),
        ("cp932", "クマ"), ("euc-jp", "クマ"),
    ],
)  # fmt: skip
def test_a_zip_is_read_in_the_code_page_of_who_wrote_it(
    page: str, folder: str, tmp_path: Path, workspace: Workspace
) -> None:
    names = (f"{folder}/{n} {folder}.jpg".encode(page) for n in range(3))
    files = photos(0, *names) | photos(9, b"fox/plain.jpg")
    summary = gather_from(BEARS, workspace, raw_zip_of(tmp_path / "z.zip", files))
    kept = {name: count for name, count in summary.kept.items() if count}
    wanted = next(
        name
        for name in BEARS.classes
        if name.casefold() == unicodedata.normalize("NFC", folder).casefold()
    )
    assert kept == {wanted: 3, "fox": 1}
    assert not summary.notes
    for row in rows_of(workspace, "bears", folder=wanted):
        assert row.title == unicodedata.normalize("NFC", str(row.title))
        assert (
            folder.casefold()
            in unicodedata.normalize("NFD" if page == "utf-8" else "NFC", str(row.title)).casefold()
        )


@pytest.mark.parametrize(("page", "folder"), [("gbk", "熊猫"), ("cp949", "곰"), ("cp950", "貓熊")])
def test_a_zip_from_east_asia_is_read(
    page: str, folder: str, tmp_path: Path, workspace: Workspace
) -> None:
    recipe = recipe_of("pandas", **{f'"{folder}"': ["x"], "fox": ["y"]})
    files = photos(0, f"{folder}/1.jpg".encode(page), f"set\\{folder}\\2.jpg".encode(page))
    assert gather_from(recipe, workspace, raw_zip_of(tmp_path / "z.zip", files)).kept[folder] == 2


def test_a_backslash_inside_a_japanese_letter_is_none(tmp_path: Path, workspace: Workspace) -> None:
    recipe = recipe_of("tables", **{'"表"': ["x"], "fox": ["y"]})
    assert b"\\" in "表".encode("cp932")
    files = photos(0, "表/1.jpg".encode("cp932"))
    assert gather_from(recipe, workspace, raw_zip_of(tmp_path / "z.zip", files)).kept["表"] == 1


def test_a_marked_utf8_name_is_taken_at_its_word(tmp_path: Path, workspace: Workspace) -> None:
    files = photos(0, "Bär/1.jpg".encode())
    box = raw_zip_of(tmp_path / "z.zip", files, utf8=True)
    assert zipfile.ZipFile(box).infolist()[0].flag_bits & 0x800
    assert gather_from(BEARS, workspace, box).kept["Bär"] == 1


def test_one_odd_name_among_those_of_a_zip_is_escaped(tmp_path: Path, workspace: Workspace) -> None:
    files = photos(0, "Bär/1.jpg".encode(), "Bär/2.jpg".encode(), b"fox/\xff\x81\x1b[2J.jpg")
    summary = gather_from(BEARS, workspace, raw_zip_of(tmp_path / "z.zip", files))
    assert (summary.kept["Bär"], summary.kept["fox"]) == (2, 1)
    (row,) = rows_of(workspace, "bears", folder="fox")
    assert row.title == r"fox/\xff\x81\x1b[2J.jpg"


def test_folder_names_of_a_zip_reach_the_terminal_as_text(
    tmp_path: Path, workspace: Workspace, shapes_at_home: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{ESCAPE}\u202e{n}/1.jpg".encode() for n in range(3)]
    box = raw_zip_of(tmp_path / "z.zip", photos(0, *names))
    assert main(["gather", "shapes", "--from", str(box)]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert r"\x1b[31m\u202e0" in said
    assert said.isprintable()
    box = raw_zip_of(tmp_path / "y.zip", photos(0, *names, b"round/1.jpg"))
    assert main(["gather", "shapes", "--from", str(box)]) == 0
    out = capsys.readouterr().out
    assert r"\x1b[31m\u202e0" in out
    assert out.replace("\n", "").isprintable()


def test_a_dropped_folder_in_decomposed_form_is_its_class(workspace: Workspace) -> None:
    folder = unicodedata.normalize("NFD", "Bär")
    save(workspace.pictures("bears") / folder / "1.jpg", jpeg(1))
    assert adopt(BEARS, workspace).kept["Bär"] == 1
    (row,) = rows_of(workspace, "bears")
    assert Path(str(row.file)).parent.name == "Bär"
    assert adopt(BEARS, workspace).added == 0


def test_titles_of_an_older_manifest_are_known_again(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    name = unicodedata.normalize("NFD", "ä.jpg")
    saved = save(tmp_path / "saved" / "round" / name, jpeg(1)).parents[1]
    gather_from(shapes, workspace, saved)
    with Manifest(workspace.folder("shapes")) as manifest:
        (row,) = manifest.kept()
        row.title = f"round/{name}"  # as it was noted before
        manifest.update(row)
    gather_from(shapes, workspace, saved)
    assert len(rows_of(workspace, "shapes")) == 1


def test_a_csv_shows_what_came_from_the_web_as_text(
    workspace: Workspace, shapes_at_home: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    with Manifest(workspace.folder("shapes")) as manifest:
        manifest.add(Row("round", url="https://a.test/1.jpg", title=f"{ESCAPE}red"))
    assert main(["pictures", "shapes", "--csv"]) == 0
    (line,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert line["title"] == r"\x1b[31mred"
