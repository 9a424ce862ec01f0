"""What is no export of fastai 2's is refused with a sentence that says what it is."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from kezako.importer.allowlist import Refused
from kezako.importer.container import open_export
from kezako.importer.root import learner_in
from kezako.importer.tensors import to_tensor


def refusal_of(path: Path) -> str:
    with pytest.raises(Refused) as refusal:
        learner_in(open_export(path).root)
    return str(refusal.value)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.fixture
def a_zip_of_torch(tmp_path: Path) -> bytes:
    torch.save({"weights": torch.zeros(100)}, tmp_path / "whole.pkl")
    return (tmp_path / "whole.pkl").read_bytes()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_zip_cut_short(share: float, a_zip_of_torch: bytes, tmp_path: Path) -> None:
    cut = a_zip_of_torch[: int(share * len(a_zip_of_torch))]
    assert "damaged or cut short" in refusal_of(write(tmp_path / "export.pkl", cut))


@pytest.mark.parametrize("at", [1, 20, 50])
def test_a_pickle_cut_short(at: int, tmp_path: Path) -> None:
    cut = pickle.dumps({"a": [1, 2, 3] * 100, "b": "text" * 50})[:-at]
    assert "damaged or cut short" in refusal_of(write(tmp_path / "export.pkl", cut))


def test_a_byte_changed_within_a_tensor(a_zip_of_torch: bytes, tmp_path: Path) -> None:
    place = a_zip_of_torch.index(b"\0" * 400) + 10
    changed = a_zip_of_torch[:place] + b"\1" + a_zip_of_torch[place + 1 :]
    export = open_export(write(tmp_path / "export.pkl", changed))
    with pytest.raises(Refused, match="damaged or cut short"):
        to_tensor(export.root["weights"], export)


@pytest.mark.parametrize("zipped", [True, False])
def test_weights_alone(zipped: bool, tmp_path: Path) -> None:
    torch.save(OrderedDict(nn.Linear(2, 2).state_dict()), tmp_path / "model.pth",
               _use_new_zipfile_serialization=zipped)  # fmt: skip
    assert "weights or a network alone" in refusal_of(tmp_path / "model.pth")


def test_a_network_alone(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Linear(2, 2)), tmp_path / "model.pth")
    assert "weights or a network alone" in refusal_of(tmp_path / "model.pth")


def test_an_export_of_fastai_1(tmp_path: Path) -> None:
    state = {"opt_func": None, "model": nn.Linear(2, 2), "data": {"tfms": []}, "cls": None}
    torch.save(state, tmp_path / "export.pkl", _use_new_zipfile_serialization=False)
    assert "an export of fastai 1" in refusal_of(tmp_path / "export.pkl")


def test_something_else_that_was_pickled(tmp_path: Path) -> None:
    assert "holds a list" in refusal_of(write(tmp_path / "a.pkl", pickle.dumps([1, 2, 3])))
