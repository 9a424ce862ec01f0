"""Pictures that a person saved as a zip, and archives that mean harm."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from kezako.gather import archive, gather_from
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import files_below, jpeg, rows_of


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:
        for name, data in files.items():
            box.writestr(name, data)
    return path


def test_a_zip_is_taken_like_a_folder(tmp_path: Path, shapes: Recipe, workspace: Workspace) -> None:
    path = zip_of(
        tmp_path / "saved.zip",
        {
            "my shapes/Round/1.jpg": jpeg(1),
            "my shapes/square/2.jpg": jpeg(2),
            "my shapes\\square\\3.jpg": jpeg(3),
            "my shapes/square/no.jpg": b"no",
            "__MACOSX/my shapes/square/._2.jpg": b"clutter",
        },
    )
    summary = gather_from(shapes, workspace, path)
    assert summary.kept == {"round": 1, "square": 2}
    assert not summary.notes
    assert {row.source for row in rows_of(workspace, "shapes")} == {"zip"}
    assert gather_from(shapes, workspace, path).added == 0


@pytest.mark.parametrize(
    "name", ["../round/1.jpg", "round/../../1.jpg", "/round/1.jpg", "C:/round/1.jpg",
             "..\\round\\1.jpg"],
)  # fmt: skip
def test_a_name_that_climbs_out_is_refused(
    tmp_path: Path, shapes: Recipe, workspace: Workspace, name: str
) -> None:
    before = files_below(tmp_path)
    path = zip_of(tmp_path / "evil.zip", {name: jpeg(1), "round/good.jpg": jpeg(2)})
    assert gather_from(shapes, workspace, path).kept["round"] == 1
    (row,) = rows_of(workspace, "shapes", status="refused")
    assert row.reason == "refused: its name climbs out of the archive"
    outside = [f for f in files_below(tmp_path) if not f.startswith("data/shapes/")]
    assert outside == sorted([*before, "evil.zip"])


def test_a_link_is_not_followed(tmp_path: Path, shapes: Recipe, workspace: Workspace) -> None:
    link = zipfile.ZipInfo("round/link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as box:
        box.writestr(link, "/etc/passwd")
    gather_from(shapes, workspace, tmp_path / "l.zip")
    (row,) = rows_of(workspace, "shapes")
    assert (row.status, row.reason) == ("refused", "refused: a link inside an archive")


def test_an_entry_that_explodes_is_not_unpacked(
    tmp_path: Path, shapes: Recipe, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_FILE", 2**20)
    path = zip_of(tmp_path / "b.zip", {"round/bomb.jpg": bytes(2**24), "round/1.jpg": jpeg(1)})
    assert gather_from(shapes, workspace, path).kept["round"] == 1
    (row,) = rows_of(workspace, "shapes", status="refused")
    assert str(row.reason).startswith("too large")


def test_an_entry_that_lies_about_its_size_is_cut_off(
    tmp_path: Path, shapes: Recipe, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_FILE", 2**20)
    path = zip_of(tmp_path / "b.zip", {"round/bomb.jpg": bytes(2**24)})
    data = bytearray(path.read_bytes())
    for place in (22, data.rindex(b"PK\x01\x02") + 24):  # before the file, and in the directory
        assert data[place : place + 4] == (2**24).to_bytes(4, "little")
        data[place : place + 4] = (2**10).to_bytes(4, "little")
    path.write_bytes(data)
    gather_from(shapes, workspace, path)
    (row,) = rows_of(workspace, "shapes")
    assert str(row.reason).startswith("unreadable: damaged inside the archive")
    assert not files_below(workspace.pictures("shapes"))


def test_an_archive_that_unpacks_without_end_is_stopped(
    tmp_path: Path, shapes: Recipe, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED", 3 * len(jpeg(1)))
    path = zip_of(tmp_path / "many.zip", {f"round/{n:02}.jpg": jpeg(n) for n in range(20)})
    summary = gather_from(shapes, workspace, path)
    assert 2 <= summary.kept["round"] <= 5
    reasons = {row.reason for row in rows_of(workspace, "shapes", status="refused")}
    assert reasons == {"refused: the archive unpacks to more than it should"}


def test_damage_inside_is_one_rows_affair(
    tmp_path: Path, shapes: Recipe, workspace: Workspace
) -> None:
    path = zip_of(tmp_path / "d.zip", {"round/1.jpg": jpeg(1), "round/2.jpg": jpeg(2)})
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(data)
    assert gather_from(shapes, workspace, path).kept["round"] == 1
    (row,) = rows_of(workspace, "shapes", status="broken")
    assert str(row.reason).startswith("unreadable: damaged inside the archive")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing more", b"Rar!\x1a\x07\x00"])
def test_what_is_no_zip_is_said(
    tmp_path: Path, shapes: Recipe, workspace: Workspace, content: bytes
) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"neither a folder nor a zip file.*Unpack it"):
        gather_from(shapes, workspace, tmp_path / "x.zip")
