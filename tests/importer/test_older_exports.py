"""Exports of older fastai and torch, and of other systems: the same network under other names."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
import torch
from fastai.vision.all import Learner, Resize, aug_transforms

from tests.importer.answers import ours, read, theirs
from tests.importer.test_reading import network

PATH = f"c{type(Path()).__module__}\n{type(Path()).__name__}\n".encode()  # as this Python names it
# How older versions called what today's export holds, in the text of a pickle of protocol 2.
OLDER = {
    "fastai 2.7": {
        b"cfasttransform.transform\n": b"cfastcore.transform\n",
        b"cplum._function\nFunction\n": b"cfastcore.dispatch\nTypeDispatch\n",
        b"cnumpy._core.multiarray\n": b"cnumpy.core.multiarray\n",
    },
    "fastai 2.0": {
        b"cfasttransform.transform\n": b"cfastcore.transform\n",
        b"cplum._function\nFunction\n": b"cfastcore.dispatch\nTypeDispatch\n",
        b"cfastcore.basics\nfastuple\n": b"cfastcore.utils\nfastuple\n",
        b"ctorch._tensor\n_rebuild_from_type_v2\n": b"cfastai.torch_core\n_rebuild_from_type\n",
        b"cnumpy._core.multiarray\n": b"cnumpy.core.multiarray\n",
    },
    "fastai2": {b"cfastai.": b"cfastai2."},
    "windows": {PATH: b"cpathlib\nWindowsPath\n"},
    "a newer python": {PATH: b"cpathlib._local\nPosixPath\n"},
}  # fmt: skip


@pytest.fixture
def export(a_stock_learner: Callable[..., Any], exported: Callable[..., Path]) -> Path:
    learner = a_stock_learner(arch=network(), make=Learner, items=Resize(96),
                              batch=aug_transforms(size=64))  # fmt: skip
    return exported(learner)


def renamed(export: Path, names: dict[bytes, bytes]) -> Path:
    """The same export as another version would have written it."""
    other = export.with_name("other.pkl")
    with zipfile.ZipFile(export) as source, zipfile.ZipFile(other, "w") as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.endswith("data.pkl"):
                for new, old in names.items():
                    assert new in content, new
                    content = content.replace(new, old)
            target.writestr(info.filename, content)
    return other


@pytest.mark.parametrize("version", OLDER)
def test_it_says_the_same_under_older_names(version: str, export: Path, some_faces: Path) -> None:
    other = renamed(export, OLDER[version])
    photos = sorted(some_faces.glob("*/*.png"))[:4]
    assert np.array_equal(ours(other, photos), ours(export, photos))
    assert read(other).labels == ("happy", "sad")


def test_files_of_torch_before_1_6(
    a_stock_learner: Callable[..., Any], some_faces: Path, tmp_path: Path
) -> None:
    learner = a_stock_learner(arch=network(), make=Learner)
    learner.dls = learner.dls.new_empty()
    old = tmp_path / "old.pkl"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(learner, old, _use_new_zipfile_serialization=False, pickle_module=cloudpickle)
    assert not zipfile.is_zipfile(old)
    photos = sorted(some_faces.glob("*/*.png"))[:4]
    assert np.abs(ours(old, photos) - theirs(old, photos)).max() < 1e-3


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_of_pickle(
    protocol: int,
    a_stock_learner: Callable[..., Any],
    exported: Callable[..., Path],
    some_faces: Path,
) -> None:
    export = exported(a_stock_learner(arch=network(), make=Learner), pickle_protocol=protocol)
    photos = sorted(some_faces.glob("*/*.png"))[:2]
    assert np.abs(ours(export, photos) - theirs(export, photos)).max() < 1e-3


def by_name(path: Path) -> str:
    return path.parent.name


def test_a_label_function_that_is_only_named(
    a_stock_learner: Callable[..., Any], exported: Callable[..., Path]
) -> None:
    """Older exports hold a notebook's functions by their name alone, which nobody else has."""
    learner = a_stock_learner(arch=network(), make=Learner, get_y=by_name)
    export = exported(learner, pickle_module=pickle)
    with zipfile.ZipFile(export) as archive:
        assert b"test_older_exports\nby_name\n" in archive.read("export/data.pkl")
    other = renamed(export, {b"ctests.importer.test_older_exports\n": b"c__main__\n"})
    assert read(other).labels == ("happy", "sad")
