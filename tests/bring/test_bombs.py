"""A file that asks for more than a machine has is given up with a sentence, in a process apart."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from kezako.bring.apart import convert_apart
from kezako.bring.container import MAX_PICKLE, Storage, open_export
from kezako.bring.convert import Order
from kezako.bring.names import Refused
from kezako.bring.records import Name, Record
from kezako.bring.tensors import to_tensor

from fastai.vision.all import Learner  # isort: skip

FOREVER = 1 << 40
L = b"cfastcore.foundation\nL\n)\x81}(X\x05\x00\x00\x00items"  # an L whose items follow
STREAMS = {
    "a text of a terabyte": b"\x80\x04\x8e" + struct.pack("<Q", FOREVER) + b".",
    "a frame of a terabyte": b"\x80\x04\x95" + struct.pack("<Q", FOREVER) + b"N.",
    "a memo of 16 GB": b"\x80\x02Nr" + struct.pack("<I", 2**31 - 1) + b".",
    "tuples in tuples": b"\x80\x02)" + b"\x85" * 300_000 + b".",
    "a learner of lists in lists": b"\x80\x02cfastai.learner\nLearner\n)\x81}"
    b"(X\x03\x00\x00\x00dlscfastai.data.core\nDataLoaders\n)\x81}(X\x07\x00\x00\x00loaders"
    + L * 20_000 + b"]" + b"ub" * 20_000 + b"ubub.",
    "a number of a million digits": b"L" + b"9" * 1_000_000 + b"L\n.",
}  # fmt: skip


@pytest.mark.parametrize("kind", STREAMS)
def test_a_pickle_that_would_fill_the_memory(kind: str, tmp_path: Path) -> None:
    (tmp_path / "export.pkl").write_bytes(STREAMS[kind])
    with pytest.raises(Refused):
        convert_apart(Order(str(tmp_path / "export.pkl"), str(tmp_path)))


def test_a_pickle_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.pkl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export/data.pkl", b"\x80\x02" + b"N0" * (MAX_PICKLE // 2) + b"N.")
    assert (tmp_path / "export.pkl").stat().st_size < 2**20
    with pytest.raises(Refused, match=r"data\.pkl is too large"):
        open_export(tmp_path / "export.pkl")


def test_a_zip_that_claims_more_than_it_may(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(1000)}, tmp_path / "export.pkl")
    content = bytearray((tmp_path / "export.pkl").read_bytes())
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"/data/0"))  # in the central directory
    content[entry + 20 : entry + 28] = struct.pack("<II", 2**32 - 2, 2**32 - 2)
    (tmp_path / "export.pkl").write_bytes(content)
    with pytest.raises(Refused, match="claims to unpack to"):
        open_export(tmp_path / "export.pkl")


@pytest.mark.parametrize(("count", "size", "stride", "offset"), [
    (10, (1_000_000, 1_000_000), (0, 0), 0),  # one number, shown a trillion times
    (10, (11,), (1,), 0),
    (10, (5,), (3,), 0),
    (10, (5,), (1,), 6),
    (10, (5,), (1,), -1),
    (10, (-5,), (1,), 0),
    (10, (2,) * 40, (0,) * 40, 0),
    (FOREVER, (FOREVER,), (1,), 0),
])  # fmt: skip
def test_a_tensor_that_is_larger_than_its_numbers(
    count: int, size: tuple[int, ...], stride: tuple[int, ...], offset: int, tmp_path: Path
) -> None:
    torch.save({"weights": torch.zeros(10)}, tmp_path / "export.pkl")
    export = open_export(tmp_path / "export.pkl")
    storage = Storage("0", "Float", count)
    record = Record(Name("torch._utils._rebuild_tensor_v2"), (storage, offset, size, stride))
    with pytest.raises(Refused):
        to_tensor(record, export)


@pytest.mark.slow
def test_a_network_that_would_fill_the_memory(
    a_stock_learner: Callable[..., Any], exported: Callable[..., Path], tmp_path: Path
) -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(30_000), nn.Flatten(),
                            nn.Linear(8, 2))  # fmt: skip
    export = exported(a_stock_learner(arch=network, make=Learner))
    with pytest.raises(Refused):
        convert_apart(Order(str(export), str(tmp_path)))
    assert not (tmp_path / "model.onnx").exists()
