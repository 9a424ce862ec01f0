"""A file that asks for more than a machine has is refused with a sentence, soon and in bounds.

What a process used is told by the system when it ends: seconds of the processor, which do not grow
on a busy machine as those of a clock do, and the most memory that it held.
"""

from __future__ import annotations

import json
import pickle
import re
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from kezako.importer.allowlist import Refused
from kezako.importer.container import MAX_PICKLE, Storage, open_export
from kezako.importer.convert import FOUND, Order, convert
from kezako.importer.records import Name, Record
from kezako.importer.tensors import to_tensor

from fastai.vision.all import Learner, Normalize, Resize, imagenet_stats  # isort: skip
from tests.importer.test_reading import network  # isort: skip

SECONDS, MEGABYTES = 6, 800  # for a pickle of the largest size that is read
COUNTING = 0.6  # seconds of the processor that SECONDS were set for, to count to ten million
WITH_TORCH = 30, 1500  # whose import alone takes a third

FOREVER = 1 << 40
SHARED = b")" + b"2\x86" * 40  # a tuple of one tuple twice, 40 levels deep
L = b"cfastcore.foundation\nL\n)\x81}(X\x05\x00\x00\x00items"  # an L whose items follow


def text(content: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(content)) + content


def call(name: bytes, *args: bytes) -> bytes:
    return b"c" + name + b"\n(" + b"".join(args) + b"tR"


def number(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


@cache
def colliding() -> list[bytes]:
    return [number(index * (2**61 - 1)) for index in range(60_000)]


STREAMS: dict[str, Callable[[], bytes]] = {
    "a text of a terabyte": lambda: b"\x8e" + struct.pack("<Q", FOREVER),
    "a frame of a terabyte": lambda: b"\x95" + struct.pack("<Q", FOREVER) + b"N",
    "a memo of 16 GB": lambda: b"Nr" + struct.pack("<I", 2**31 - 1),
    "tuples in tuples": lambda: b")" + b"\x85" * 300_000,
    "a learner of lists in lists": lambda: (
        b"cfastai.learner\nLearner\n)\x81}"
        b"(X\x03\x00\x00\x00dlscfastai.data.core\nDataLoaders\n)\x81}(X\x07\x00\x00\x00loaders"
        + L * 20_000
        + b"]"
        + b"ub" * 20_000
        + b"ubub"
    ),
    "a number of a million digits": lambda: b"(L" + b"9" * 1_000_000 + b"L\n",
    "a number of 60 MB": lambda: b"\x8b" + struct.pack("<I", 60 * 2**20) + bytes(60 * 2**20),
    "a class with a name that doubles": lambda: call(
        b"cloudpickle.cloudpickle\n_make_skeleton_class", b"N", SHARED
    ),
    "a module with a name that doubles": lambda: call(
        b"cloudpickle.cloudpickle\nsubimport", SHARED
    ),
    "a type with a name that doubles": lambda: call(
        b"cloudpickle.cloudpickle\n_builtin_type", SHARED
    ),
    "a global with a name that doubles": lambda: SHARED + text(b"path") + b"\x93",
    "an attribute with a name that doubles": lambda: call(b"builtins\ngetattr", SHARED, SHARED),
    "a key that doubles": lambda: b"}" + SHARED + b"Ns",
    "a member that doubles": lambda: b"\x8f(" + SHARED + b"\x90",
    "a frozen member that doubles": lambda: b"(" + SHARED + b"\x91",
    "a tensor with a name that doubles": lambda: (
        b"(" + text(b"storage") + b"ctorch\nFloatStorage\n" + SHARED + text(b"cpu") + b"K\x01tQ"
    ),
    "a persistent name that doubles": lambda: SHARED + b"Q",
    "keys that collide": lambda: b"}(" + b"N".join(colliding()) + b"Nu",
    "keys that collide, in order": lambda: (
        b"ccollections\nOrderedDict\n)R(" + b"N".join(colliding()) + b"Nu"
    ),
    "members that collide": lambda: b"\x8f(" + b"".join(colliding()) + b"\x90",
    "names that grow": lambda: (
        b"c__main__\nx\nq\x00"
        + (b"0cbuiltins\ngetattr\n(h\x00" + text(b"y" * 50_000) + b"tRq\x00") * 500
    ),
    "names without number": lambda: b"".join(b"cm%d\nn\n" % index for index in range(1_500_000)),
    "one list, given to many": lambda: (
        b"]("
        + b"N" * 200_000
        + b"t0("
        + b"N" * 200_000
        + b"tq\x00"
        + b"cpathlib\nPath\nq\x010"
        + b"h\x01h\x00R0" * 200_000
        + b"N"
    ),
    "one call, with much, again and again": lambda: (
        b"(" + b"N" * 900 + b"tq\x00ccopyreg\n__newobj__\nq\x010" + b"h\x01h\x00R0" * 300_000 + b"N"
    ),
    "steps without end": lambda: b"N0" * (30 * 2**20) + b"N",
    "marks without end": lambda: b"(" * (30 * 2**20) + b"N",
    "records without end": lambda: b"cpathlib\nPath\nq\x00" + b"h\x00)R" * 6_000_000,
    "memos without end": lambda: b"N" + b"\x94" * (40 * 2**20),
    "fetched without end": lambda: b"Nq\x00" + b"h\x00" * (30 * 2**20),
    "a text that is fetched": lambda: text(b"x" * 2**20) + b"q\x00" + b"h\x00" * 5_000_000,
}


@dataclass(frozen=True)
class Spent:
    """How an order ended, and what its process used."""

    said: str  # the refusal, or "" where there is none
    seconds: float  # of the processor
    megabytes: float  # the most that it held


# A process begins with the most memory that its parent held, and this one holds torch; so a small
# one starts it, and tells: exit status, seconds of the processor, and ru_maxrss.
BETWEEN = """
import os, sys
child = os.posix_spawn(sys.executable, [sys.executable, "-c",
                       "from kezako.importer.convert import main; main()"], os.environ)
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss,
      file=sys.stderr)
"""


def spend(path: Path, folder: Path) -> Spent:
    """Convert `path` in a subprocess, as `convert_apart` does."""
    order = json.dumps(asdict(Order(str(path), str(folder))))
    ran = subprocess.run(
        [sys.executable, "-S", "-c", BETWEEN],
        input=order, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    status, seconds, most = ran.stderr.splitlines()[-1].split()
    assert status == "0", "it did not end by itself"
    found = json.loads((folder / FOUND).read_text())
    spare = 2**20 if sys.platform == "darwin" else 2**10  # of what ru_maxrss counts
    return Spent(found.get("refused", ""), float(seconds), float(most) / spare)


def is_soon(seconds: float) -> bool:
    """Less than SECONDS, on a processor that much else keeps busy in proportion to its pace."""
    if seconds < SECONDS:
        return True
    begun = time.process_time()
    for _ in range(10_000_000):
        pass
    return seconds < SECONDS * (time.process_time() - begun) / COUNTING


def test_the_largest_pickles_are_as_large_as_they_may_be() -> None:
    assert 50 * 2**20 < max(len(make()) for make in STREAMS.values()) < MAX_PICKLE


@pytest.mark.parametrize("kind", STREAMS)
def test_a_pickle_that_would_take_all(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "export.pkl"
    path.write_bytes(b"\x80\x04" + STREAMS[kind]() + b".")
    spent = spend(path, tmp_path)
    assert spent.said
    assert is_soon(spent.seconds)
    assert spent.megabytes < MEGABYTES


def zip_of(path: Path, *entries: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packing, compresslevel=1) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def storage(key: str, count: int) -> bytes:
    return (b"(" + text(b"storage") + b"ctorch\nFloatStorage\n" + text(key.encode()) + text(b"cpu")
            + number(count) + b"tQ")  # fmt: skip


def many_entries(path: Path) -> None:
    zip_of(path, *((f"e/{index:01000}", b"") for index in range(10_000)), ("e/data.pkl", b"N."))


def unpacks_to_gigabytes(path: Path) -> None:
    zip_of(path, ("e/data.pkl", b"N."), *((f"e/data/{i}", bytes(2**28)) for i in range(6)))


def packed_otherwise(path: Path) -> None:
    zip_of(path, ("e/data.pkl", bytes(2**25)), packing=zipfile.ZIP_BZIP2)


ZIPS = {
    "entries without end": (many_entries, "its list of files has no end"),
    "entries that unpack to gigabytes": (unpacks_to_gigabytes, "claims to unpack to 1536 MB"),
    "entries packed otherwise": (packed_otherwise, "packed in a way that torch does not use"),
}


@pytest.mark.parametrize("kind", ZIPS)
def test_a_zip_that_would_take_all(kind: str, tmp_path: Path) -> None:
    make, said = ZIPS[kind]
    make(tmp_path / "export.pkl")
    spent = spend(tmp_path / "export.pkl", tmp_path)
    assert said in spent.said
    assert is_soon(spent.seconds)
    assert spent.megabytes < MEGABYTES


def test_a_pickle_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "export.pkl", ("e/data.pkl", b"\x80\x02" + b"N0" * (MAX_PICKLE // 2)))
    assert path.stat().st_size < 2**20
    with pytest.raises(Refused, match=r"data\.pkl is too large"):
        open_export(path)


def test_a_zip_that_claims_more_than_it_may(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(1000)}, tmp_path / "export.pkl")
    content = bytearray((tmp_path / "export.pkl").read_bytes())
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"/data/0"))  # in the central directory
    content[entry + 20 : entry + 28] = struct.pack("<II", 2**32 - 2, 2**32 - 2)
    (tmp_path / "export.pkl").write_bytes(content)
    with pytest.raises(Refused, match="claims to unpack to"):
        open_export(tmp_path / "export.pkl")


def test_numbers_that_stand_in_many_tensors_are_not_read_for_each(tmp_path: Path) -> None:
    count = 2**22
    path = zip_of(
        tmp_path / "export.pkl",
        ("e/data.pkl", b"\x80\x02" + storage("0", count) + b"."),
        ("e/data/0", bytes(4 * count)),
    )
    export = open_export(path)
    for _ in range(4):
        assert len(export.read(export.root)) == 4 * count
    with pytest.raises(Refused, match="larger than the file"):
        export.read(export.root)


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
    kind = Name("torch._utils._rebuild_tensor_v2")
    whole = Record(kind, (Storage("0", "Float", 10), 0, (10,), (1,)))
    assert to_tensor(whole, export).shape == (10,), "what fits is taken"
    storage = Storage("0", "Float", count)
    record = Record(kind, (storage, offset, size, stride))
    with pytest.raises(Refused):
        to_tensor(record, export)


def doubling() -> Any:
    shared: Any = ()
    for _ in range(40):
        shared = (shared, shared)
    return shared


def set_on(step: Any, name: str, value: Any) -> Callable[[Learner], None]:
    """Puts `value` where the first step of that class has `name`."""

    def change(learner: Learner) -> None:
        for pipeline in (learner.dls.valid.after_item, learner.dls.valid.after_batch):
            for found in pipeline.fs:
                if isinstance(found, step):
                    setattr(found, name, value)

    return change


def steps(learner: Learner) -> None:
    pipeline = learner.dls.valid.after_item
    pipeline.fs = type(pipeline.fs)([*pipeline.fs, *[pipeline.fs[0]] * 2_000])


def classes(learner: Learner) -> None:
    learner.dls.vocab.items = type(learner.dls.vocab.items)([doubling(), "sad"])


def classes_without_end(learner: Learner) -> None:
    learner.dls.vocab.items = type(learner.dls.vocab.items)(["a"] * 1_000_000)


def layers(learner: Learner) -> None:
    """A layer with much beside it, in ten thousand places."""
    bend = nn.ReLU()
    bend.__dict__.update({f"note{index}": index for index in range(20_000)})
    learner.model = nn.Sequential(nn.Conv2d(3, 3, 1), *[nn.Sequential(*[bend] * 50)] * 50)


def doubled_layers(learner: Learner) -> None:
    layer: nn.Module = nn.Sequential(nn.Conv2d(3, 3, 1))
    for _ in range(30):
        layer = nn.Sequential(layer, layer)
    learner.model = layer


def setting(learner: Learner) -> None:
    learner.model[0][0].__dict__["stride"] = doubling()


def large(learner: Learner) -> None:
    """Few weights, and yet 57 GB of pictures between two layers."""
    learner.model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(30_000), nn.Flatten(), nn.Linear(8, 2)
    )


def slow(learner: Learner) -> None:
    """Few weights, and yet 10^13 multiplications."""
    wide = [nn.ReplicationPad2d(900), nn.Conv2d(3, 32, 3), *[nn.Conv2d(32, 32, 15)] * 20]
    learner.model = nn.Sequential(*wide, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 2))


LEARNERS: dict[str, tuple[Callable[[Learner], None], str]] = {
    "a way to resize that doubles": (set_on(Resize, "method", doubling()), "its method is a tuple"),
    "a padding that doubles": (set_on(Resize, "resamples", doubling()), "without end"),
    "a size that doubles": (set_on(Resize, "size", doubling()), "without end"),
    "a size without end": (set_on(Resize, "size", (10**4000,) * 2), "too many pixels"),
    "a mean that doubles": (set_on(Normalize, "mean", doubling()), "without end"),
    "steps without end": (steps, "more steps than any has"),
    "a class that doubles": (classes, "without end"),
    "classes without end": (classes_without_end, "more than 10000 classes"),
    "a setting that doubles": (setting, "without end"),
    "layers without end": (layers, "more parts than any has"),
    "layers that double": (doubled_layers, "more layers"),
    "a layer of gigabytes": (large, "needs more memory"),
    "a layer of hours": (slow, "takes more time"),
}


@pytest.fixture
def bomb(
    a_stock_learner: Callable[..., Any], exported: Callable[..., Path]
) -> Callable[[str], Path]:
    """The export of a learner that was changed in one way."""

    def make(kind: str) -> Path:
        learner = a_stock_learner(arch=network(), make=Learner,
                                  batch=Normalize.from_stats(*imagenet_stats))  # fmt: skip
        LEARNERS[kind][0](learner)
        return exported(learner)

    return make


@pytest.mark.parametrize("kind", LEARNERS)
def test_a_learner_that_would_take_all(
    kind: str, bomb: Callable[[str], Path], tmp_path: Path
) -> None:
    """Refused with its sentence, and soon; in this process, where torch is loaded already."""
    path, before = bomb(kind), time.process_time()
    with pytest.raises(Refused, match=re.escape(LEARNERS[kind][1])):
        convert(Order(str(path), str(tmp_path)))
    assert time.process_time() - before < WITH_TORCH[0]
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.slow
@pytest.mark.hosts
@pytest.mark.parametrize(
    "kind", ["layers that double", "steps without end", "a layer of gigabytes", "a layer of hours"]
)
def test_it_stays_within_its_memory(kind: str, bomb: Callable[[str], Path], tmp_path: Path) -> None:
    spent = spend(bomb(kind), tmp_path)
    assert LEARNERS[kind][1] in spent.said
    seconds, megabytes = WITH_TORCH
    assert spent.seconds < seconds
    assert spent.megabytes < megabytes
    assert not (tmp_path / "model.onnx").exists()
