"""A pickle that means harm is refused by the name of what it would call; nothing of it runs."""

from __future__ import annotations

import contextlib
import io
import pickle
import time
import zipfile
from pathlib import Path

import cloudpickle
import pytest
import torch

from kezako.importer.allowlist import Refused
from kezako.importer.container import open_export
from tests.importer.hostile import KINDS, RAW, Calls, kinds


def wait_for(path: Path) -> bool:
    """Whether `path` appears, within bounds: what was started may still be on its way."""
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return path.exists()


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_what_would_run_is_named_and_not_run(kind: str, protocol: int, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    named, harm = kinds(canary)[kind]
    content = cloudpickle.dumps(harm, protocol)
    with contextlib.suppress(Exception):
        pickle.loads(content)  # what an unguarded `load_learner` would have done
    assert wait_for(canary), "this attack does no harm even unguarded, so it tests nothing"
    canary.unlink()
    export = tmp_path / "export.pkl"
    export.write_bytes(content)
    with pytest.raises(Refused) as refusal:
        open_export(export)
    assert named in str(refusal.value)
    assert not canary.exists()


@pytest.mark.parametrize("kind", RAW)
def test_what_is_written_by_hand_is_named(kind: str, tmp_path: Path) -> None:
    named, content = RAW[kind]
    (tmp_path / "export.pkl").write_bytes(content)
    with pytest.raises(Refused, match="refused; no code in it ran") as refusal:
        open_export(tmp_path / "export.pkl")
    assert named in str(refusal.value)


def test_every_kind_is_tried(tmp_path: Path) -> None:
    assert set(KINDS) == set(kinds(tmp_path / "canary"))


@pytest.mark.parametrize("zipped", [True, False])
def test_it_makes_no_difference_how_torch_wrote_the_file(zipped: bool, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    _, harm = kinds(canary)["os.system"]
    torch.save({"model": torch.zeros(2), "dls": harm}, tmp_path / "export.pkl",
               _use_new_zipfile_serialization=zipped)  # fmt: skip
    assert zipfile.is_zipfile(tmp_path / "export.pkl") is zipped
    with pytest.raises(Refused, match=r"os\.system: refused; no code in it ran"):
        open_export(tmp_path / "export.pkl")
    assert not canary.exists()


def test_harm_behind_a_harmless_start_is_refused_as_well(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    _, harm = kinds(canary)["os.system"]
    content = io.BytesIO()
    torch.save({"harmless": 1}, content, _use_new_zipfile_serialization=False)
    start = content.getvalue()
    last = start.rindex(b"\x80\x02", 0, start.index(b"harmless"))  # where its pickle begins
    (tmp_path / "export.pkl").write_bytes(start[:last] + pickle.dumps(harm, 2))
    with pytest.raises(Refused, match=r"os\.system: refused; no code in it ran"):
        open_export(tmp_path / "export.pkl")
    assert not canary.exists()


@pytest.mark.parametrize("opcode", [b"\x82\x01", b"\x83\x01\x00", b"\x84\x01\x00\x00\x00"])
def test_names_by_number_are_refused(opcode: bytes, tmp_path: Path) -> None:
    (tmp_path / "export.pkl").write_bytes(b"\x80\x02" + opcode + b".")
    with pytest.raises(Refused):
        open_export(tmp_path / "export.pkl")


def test_a_long_name_is_cut_and_shown_as_plain_text(tmp_path: Path) -> None:
    name = "x" * 500 + "\x1b[31m"
    (tmp_path / "export.pkl").write_bytes(f"cos\n{name}\n(S'x'\ntR.".encode())
    with pytest.raises(Refused) as refusal:
        open_export(tmp_path / "export.pkl")
    assert len(str(refusal.value)) < 400
    assert "\x1b" not in str(refusal.value)


def test_a_call_is_written_down_and_not_made(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    record = pickle.dumps({"path": Calls(Path, str(canary)), "set": {1, 2}}, 2)
    (tmp_path / "export.pkl").write_bytes(record)
    root = open_export(tmp_path / "export.pkl").root
    assert repr(root["path"]) == "<pathlib.Path>"
    assert root["path"].args == (str(canary),)
