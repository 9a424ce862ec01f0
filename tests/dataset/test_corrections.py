"""What is kept of a visitor's correction, and how much."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ipywidgets import Label
from PIL import Image

from kezako.dataset import corrections
from kezako.dataset.corrections import PER_VISIT, Busy, Full, enabled, offer
from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.page import Choice
from kezako.page.correction import Correction
from kezako.recipe import NEITHER, SOMETHING_ELSE, Task
from kezako.workspace import Workspace
from tests.holding import held


def a_photo(shade: int = 90, side: int = 900, **settings: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side // 2), (shade, 20, 40)).save(file, "JPEG", **settings)
    return file.getvalue()


def rows(workspace: Workspace) -> list[Row]:
    with Manifest(workspace.folder("bears")) as manifest:
        return manifest.rows()


@pytest.mark.parametrize(
    ("value", "taken"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)]
)
def test_they_are_off_unless_asked_for(value: str | None, taken: bool) -> None:
    assert enabled({} if value is None else {"KEZAKO_CORRECTIONS": value}) is taken


def test_pixels_are_kept_and_nothing_else(an_empty_workspace: Workspace) -> None:
    exif = Image.Exif()
    exif[0x010E] = "my secret address"
    exif[0x0112] = 6
    photo = a_photo(exif=exif, comment=b"my secret comment", xmp=b"<x>my secret place</x>",
                    icc_profile=b"my secret profile")  # fmt: skip
    assert photo.count(b"my secret") == 4
    offer(an_empty_workspace, "bears", photo, ("teddy",), "This is a black bear.")
    (row,) = rows(an_empty_workspace)
    kept = (an_empty_workspace.folder("bears") / str(row.file)).read_bytes()
    assert b"my secret" not in kept
    image = Image.open(io.BytesIO(kept))
    assert image.size == (256, 512), "turned upright, made smaller"
    assert not image.getexif()
    assert (row.folder, row.status, row.source) == ("teddy", "offered", "correction")
    assert row.url is None
    assert row.split is None


@pytest.mark.parametrize(("task", "folder"), [("single", SOMETHING_ELSE), ("multi", NEITHER)])
def test_none_of_these_has_its_own_folder(
    task: Task, folder: str, an_empty_workspace: Workspace
) -> None:
    offer(an_empty_workspace, "bears", a_photo(), (), "This is a black bear.", task)
    (row,) = rows(an_empty_workspace)
    assert row.folder == folder
    assert row.reason == "a visitor says: none of these; the page said: This is a black bear."


def test_several_labels_share_a_folder(an_empty_workspace: Workspace) -> None:
    offer(an_empty_workspace, "bears", a_photo(), ("dog", "cat"), "Neither.", "multi")
    assert rows(an_empty_workspace)[0].folder == "cat+dog"


def test_a_right_answer_is_kept_as_such_and_leaves_room_for_wrong_ones(
    an_empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "MOST_CONFIRMED", 1)
    offer(an_empty_workspace, "bears", a_photo(10), ("teddy",), "a teddy.", confirmed=True)
    (row,) = rows(an_empty_workspace)
    assert (row.source, row.folder, row.status) == ("confirmation", "teddy", "offered")
    assert row.reason == "a visitor agrees: teddy; the page said: a teddy."
    with pytest.raises(Full, match="enough"):
        offer(an_empty_workspace, "bears", a_photo(20), ("teddy",), "a", confirmed=True)
    offer(an_empty_workspace, "bears", a_photo(20), ("black",), "a")
    assert [row.folder for row in rows(an_empty_workspace)] == ["teddy", "black"]


def test_who_agreed_can_still_correct(an_empty_workspace: Workspace) -> None:
    offer(an_empty_workspace, "bears", a_photo(), ("teddy",), "a", confirmed=True)
    offer(an_empty_workspace, "bears", a_photo(), ("black",), "a")
    (row,) = rows(an_empty_workspace)
    assert (row.source, row.folder) == ("correction", "black")


def test_the_same_photo_again_replaces_what_was_said(an_empty_workspace: Workspace) -> None:
    offer(an_empty_workspace, "bears", a_photo(), ("teddy",), "a")
    offer(an_empty_workspace, "bears", a_photo(), ("grizzly",), "a")
    (row,) = rows(an_empty_workspace)
    assert row.folder == "grizzly"


def test_what_the_maker_judged_is_not_offered_again(an_empty_workspace: Workspace) -> None:
    offer(an_empty_workspace, "bears", a_photo(), ("teddy",), "a")
    (row,) = rows(an_empty_workspace)
    row.status, row.file = "removed", None
    with Manifest(an_empty_workspace.folder("bears")) as manifest:
        manifest.update(row)
        manifest.recover()
    offer(an_empty_workspace, "bears", a_photo(), ("teddy",), "a")
    assert rows(an_empty_workspace) == [row]
    assert not list((an_empty_workspace.folder("bears") / "corrections").iterdir())


@pytest.mark.parametrize("cap", ["MOST", "MOST_BYTES"])
def test_there_is_a_cap_on_number_and_size(
    cap: str, an_empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(an_empty_workspace, "bears", a_photo(10), ("teddy",), "a")
    size = sum(path.stat().st_size for path in an_empty_workspace.root.rglob("*.jpg"))
    monkeypatch.setattr(corrections, cap, 2 if cap == "MOST" else 2 * size)
    offer(an_empty_workspace, "bears", a_photo(20), ("teddy",), "a")
    with pytest.raises(Full, match="enough corrections"):
        offer(an_empty_workspace, "bears", a_photo(30), ("teddy",), "a")
    assert len(rows(an_empty_workspace)) == 2
    assert len(list(an_empty_workspace.root.rglob("*.jpg"))) == 2


def test_in_an_hour_there_are_only_so_many(
    an_empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "PER_HOUR", 2)
    for shade in (10, 20):
        offer(an_empty_workspace, "bears", a_photo(shade), ("teddy",), "a")
    with pytest.raises(Full, match="in an hour"):
        offer(an_empty_workspace, "bears", a_photo(30), ("teddy",), "a")
    with Manifest(an_empty_workspace.folder("bears")) as manifest:
        for row in manifest.rows():
            row.fetched_at = "2026-01-01T00:00:00+00:00"
            manifest.update(row)
    offer(an_empty_workspace, "bears", a_photo(30), ("teddy",), "a")
    assert len(rows(an_empty_workspace)) == 3


@pytest.mark.parametrize(("setting", "most"), [("", PER_VISIT), ("2", 2)])
def test_one_visit_sends_back_a_few_and_is_thanked(
    setting: str,
    most: int,
    an_empty_workspace: Workspace,
    a_bundle: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_bundle(an_empty_workspace.models, "bears", ("black", "teddy"))
    monkeypatch.setenv("KEZAKO_CORRECTIONS", "1")
    monkeypatch.setenv("KEZAKO_CORRECTIONS_A_VISIT", setting)
    choice = Choice(an_empty_workspace.models)
    correction = Correction(choice, an_empty_workspace)
    for shade in range(most + 3):
        correction.offer(choice, a_photo(10 * shade), "This is a black bear.")
        send_back(correction)
        assert "Thank you" in correction.children[-1].value
        correction.clear()
    assert len(rows(an_empty_workspace)) == most
    correction.offer(choice, a_photo(200), "This is a black bear.")
    assert [type(child) for child in correction.children] == [Label]


def send_back(correction: Correction) -> None:
    """All that a page can send, whether it shows the buttons or not."""
    correction._wrong.click()
    correction._label.value, correction._consent.value = 2, True
    for _ in range(3):
        correction._submit.click()


@pytest.mark.parametrize("label", ["../../x", "a/b", ""])
def test_a_hostile_label_is_refused(label: str, an_empty_workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="name"):
        offer(an_empty_workspace, "bears", a_photo(), (label,), "a")
    assert not list(an_empty_workspace.root.rglob("*.jpg"))


def test_a_picture_without_its_row_is_swept_away(an_empty_workspace: Workspace) -> None:
    offer(an_empty_workspace, "bears", a_photo(), ("teddy",), "a")
    folder = an_empty_workspace.folder("bears") / "corrections"
    stray = folder / "left by a kill.part"
    stray.write_bytes(b"x")
    with Manifest(an_empty_workspace.folder("bears")) as manifest:
        manifest.recover()
    assert [path.name for path in folder.iterdir()] == [
        Path(str(rows(an_empty_workspace)[0].file)).name
    ]


def test_it_is_kept_while_pictures_are_gathered(an_empty_workspace: Workspace) -> None:
    with held(an_empty_workspace.folder("bears"), "gather bears", inside=True):
        offer(an_empty_workspace, "bears", a_photo(), ("teddy",), "a")
    assert [row.status for row in rows(an_empty_workspace)] == ["offered"]


def test_what_waits_too_long_is_told_in_a_sentence(
    an_empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "PATIENCE", 0.1)
    with (
        Manifest(an_empty_workspace.folder("bears")) as manifest,
        manifest.transaction(),
        pytest.raises(Busy, match="send it again"),
    ):
        offer(an_empty_workspace, "bears", a_photo(), ("teddy",), "a")
    offer(an_empty_workspace, "bears", a_photo(), ("teddy",), "a")
    assert len(rows(an_empty_workspace)) == 1


def test_many_visitors_at_once_lose_nothing(an_empty_workspace: Workspace) -> None:
    """The first of them make the manifest, all at the same time."""
    program = (
        "import io, sys\nfrom PIL import Image\nfrom kezako.dataset.corrections import offer\n"
        "from kezako.workspace import Workspace\n"
        "sys.stdin.readline()\n"
        "for number in range(5):\n"
        "    file = io.BytesIO()\n"
        "    Image.new('RGB', (60, 40), (int(sys.argv[1]), 40 * number, 0)).save(file, 'PNG')\n"
        "    offer(Workspace.find(), 'bears', file.getvalue(), ('teddy',), 'a')\n"
    )
    visitors = [
        subprocess.Popen([sys.executable, "-c", program, str(20 * n)], stdin=-1, stderr=-1)
        for n in range(6)
    ]
    for visitor in visitors:
        assert visitor.stdin
        visitor.stdin.write(b"now\n")
        visitor.stdin.flush()
    for visitor in visitors:
        _, said = visitor.communicate()
        assert visitor.returncode == 0, said
    assert len(rows(an_empty_workspace)) == 30
    assert len(list((an_empty_workspace.folder("bears") / "corrections").iterdir())) == 30
