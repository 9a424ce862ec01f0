"""What people take for an export is said for what it is, with what to do; within a moment."""

from __future__ import annotations

import io
import json
import os
import pickle
import socket
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kezako.gather.sample import draw_face
from kezako.importer.allowlist import Refused
from kezako.importer.container import open_export
from tests.importer.test_import import command


def refusal_of(path: Path) -> str:
    with pytest.raises(Refused) as refusal:
        open_export(path)
    return str(refusal.value)


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, b"something")
    return content.getvalue()


def picture(kind: str) -> bytes:
    content = io.BytesIO()
    draw_face("happy", 1).save(content, kind)
    return content.getvalue()


def array() -> bytes:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    return content.getvalue()


def tar() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("export.pkl"))
    return content.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 46000000\n"
PAGE = b"\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"
SAFETENSORS = (16).to_bytes(8, "little") + b'{"a":{"dtype":""}}'
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x051.13.1"
TFLITE = b"\x1c\x00\x00\x00TFL3\x14\x00\x20\x00"
NOTEBOOK = json.dumps({"cells": [], "nbformat": 4}).encode()

# The file's name and content -> what is said of it, and what to do about it.
FILES: dict[str, tuple[str, bytes, str, str]] = {
    "a pointer of Git LFS": ("export.pkl", LFS, "a pointer of Git LFS", "git lfs pull"),
    "a saved page": ("export.pkl", PAGE, "a saved web page", "Download"),
    "an error in XML": ("export.pkl", b'<?xml version="1.0"?><Error>', "a saved web page",
                        "Download"),
    "empty": ("export.pkl", b"", "empty", "download it again"),
    "keras": ("model.h5", b"\x89HDF\r\n\x1a\n\0\0", "Keras or TensorFlow", "kezako gather"),
    "keras 3": ("model.keras", zipped("config.json", "metadata.json", "model.weights.h5"),
                "Keras or TensorFlow", "kezako gather"),
    "teachable machine": ("converted_keras.zip", zipped("keras_model.h5", "labels.txt"),
                          "Keras or TensorFlow", "kezako gather"),
    "tensorflow.js": ("tm.zip", zipped("model.json", "weights.bin", "metadata.json"),
                      "a model of TensorFlow", "kezako gather"),
    "tflite": ("model.tflite", TFLITE, "TensorFlow Lite", "kezako gather"),
    "saved model": ("saved_model.pb", b"\x08\x01\x12\xa0", "a model of TensorFlow",
                    "kezako gather"),
    "onnx": ("model.onnx", ONNX, "ONNX", "kezako gather"),
    "onnx under another name": ("export.pkl", ONNX, "ONNX", "kezako gather"),
    "core ml": ("m.zip", zipped("M.mlpackage/Data/model.mlmodel"), "Core ML", "kezako gather"),
    "torchscript": ("model.pt", zipped("m/data.pkl", "m/constants.pkl", "m/code/__torch__.py"),
                    "TorchScript", "learn.export()"),
    "safetensors": ("model.safetensors", SAFETENSORS, "weights alone", "learn.export()"),
    "gguf": ("model.gguf", b"GGUF\x03\0\0\0", "a language model", "learn.export()"),
    "numpy": ("a.npy", array(), "an array of NumPy's", "learn.export()"),
    "numpy's zip": ("a.npz", zipped("a.npy"), "arrays of NumPy's", "learn.export()"),
    "packed": ("export.zip", zipped("models/export.pkl"), "packed", "give models/export.pkl"),
    "gzip": ("export.pkl.gz", b"\x1f\x8b\x08\0\0\0", "packed (gzip)", "Unpack it first"),
    "tar": ("export.tar", tar(), "packed (tar)", "Unpack it first"),
    "7-zip": ("export.7z", b"7z\xbc\xaf\x27\x1c\0\4", "packed (7-Zip)", "Unpack it first"),
    "pictures": ("photos.zip", zipped("cat/1.jpg", "dog/2.JPG"), "a zip of pictures",
                 "kezako gather"),
    "another zip": ("a.zip", zipped("notes.docx"), "a zip, but no export", "learn.export()"),
    "jpeg": ("face.jpg", picture("JPEG"), "a picture", "learn.export()"),
    "png": ("face.png", picture("PNG"), "a picture", "learn.export()"),
    "webp": ("face.webp", picture("WEBP"), "a picture", "learn.export()"),
    "pdf": ("a.pdf", b"%PDF-1.7", "a PDF", "learn.export()"),
    "notebook": ("train.ipynb", NOTEBOOK, "a notebook", "Run learn.export() in it"),
    "table": ("labels.csv", b"class,name\na,b\n", "a text", "learn.export()"),
    "script": ("train.py", b"from fastai.vision.all import *\n", "a text", "learn.export()"),
    "error": ("export.pkl", b'{"message": "Not Found"}', "a text", "learn.export()"),
    "something": ("export.pkl", bytes(range(200, 256)), "neither a zip nor a pickle",
                  "learn.export()"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_it_is_said_for_what_it_is(kind: str, tmp_path: Path) -> None:
    name, content, what, then = FILES[kind]
    (tmp_path / name).write_bytes(content)
    said = refusal_of(tmp_path / name)
    assert said.startswith(f"{name} is ")
    assert what in said
    assert then in said


def test_a_file_of_dill_is_not_called_harmful(tmp_path: Path) -> None:
    """`learn.export(pickle_module=dill)` was the advice of years."""
    (tmp_path / "export.pkl").write_bytes(b"\x80\x04cdill._dill\n_create_type\n.")
    said = refusal_of(tmp_path / "export.pkl")
    assert "written with dill" in said
    assert "learn.export()" in said
    assert "Do not open" not in said


def folder(path: Path) -> None:
    (path / "models").mkdir(parents=True)
    (path / "export.pkl").write_bytes(b"")


def bundle(path: Path) -> None:
    path.mkdir()
    for name in ("card.json", "model.onnx"):
        (path / name).write_bytes(b"")


def saved_model(path: Path) -> None:
    path.mkdir()
    (path / "saved_model.pb").write_bytes(b"")


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


PLACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder": (folder, "is a folder, not a file. It holds export.pkl"),
    "bundle": (bundle, "a classifier of Kezako's already: kezako serve it"),
    "saved model": (saved_model, "a model of TensorFlow"),
    "pipe": (os.mkfifo, "a device, a pipe or a socket"),
    "socket": (listening, "a device, a pipe or a socket"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "a device, a pipe or a socket"),
    "nothing": (lambda path: None, "There is no file"),
    "a link to itself": (lambda path: path.symlink_to(path), "cannot be read"),
}


@pytest.mark.parametrize("kind", PLACES)
def test_what_is_no_file_is_never_opened(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    make, said = PLACES[kind]
    make(tmp_path / "it")
    assert said in refusal_of(tmp_path / "it")


def test_ten_gigabytes_are_not_read_first(tmp_path: Path) -> None:
    path = tmp_path / "export.pkl"
    with path.open("wb") as file:
        file.write(pickle.dumps({}))
        file.truncate(10 * 2**30)
    done = command(tmp_path, path)
    assert done.returncode == 2
    assert "export.pkl has 10240 MB; at most 2048 fit." in done.stderr
    assert "Reading" not in done.stdout


def test_the_command_says_it_before_a_process_is_started(tmp_path: Path) -> None:
    (tmp_path / "export.pkl").write_bytes(LFS)
    done = command(tmp_path, tmp_path / "export.pkl")
    assert done.returncode == 2
    assert "a pointer of Git LFS" in done.stderr
    assert "Reading" not in done.stdout
