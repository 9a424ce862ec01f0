"""Recognise files that are not exports, so that the message can say what they are."""

from __future__ import annotations

import codecs
import re
import stat
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path, PurePosixPath

from kezako.importer.allowlist import MAX_FILE, Refused

_START = 4096  # bytes that are read
_MANY = 10_000  # names of a folder that are listed
# How a pickle starts, in every protocol; text that starts with a c does not match.
_PICKLE = re.compile(rb"\x80[\x02-\x05]|c[\w.]+\r?\n|[(}\]]")
_ELSE = "Give the file that learn.export() wrote, usually export.pkl."
_FASTAI_ONLY = (
    "kezako import takes exports of fastai; train the same pictures anew with: "
    "kezako new NAME --classes A,B and kezako gather NAME --from FOLDER."
)

# How a file of each kind starts -> what it is, and what to do.
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "a pointer of Git LFS, which stands for the file",
     'Fetch the file itself: run "git lfs pull" in its repository, or press Download on its page.'),
    (b"\x89HDF\r\n\x1a\n", "a model of Keras or TensorFlow (HDF5)", _FASTAI_ONLY),
    (b"\x93NUMPY", "an array of NumPy's", _ELSE),
    (b"GGUF", "a language model (GGUF)", _ELSE),
    (b"SQLite format 3", "a database (SQLite)", _ELSE),
    (b"%PDF", "a PDF", _ELSE),
    (b"\xff\xd8\xff", "a picture", _ELSE),
    (b"\x89PNG\r\n\x1a\n", "a picture", _ELSE),
    (b"GIF8", "a picture", _ELSE),
    (b"RIFF", "a picture or a sound", _ELSE),
    (b"BM", "a picture", _ELSE),
    (b"II*\0", "a picture", _ELSE),
    (b"MM\0*", "a picture", _ELSE),
    *((magic, f"packed ({name})", "Unpack it first, and give the export.pkl within.")
      for magic, name in ((b"\x1f\x8b", "gzip"), (b"7z\xbc\xaf\x27\x1c", "7-Zip"), (b"Rar!", "RAR"),
                          (b"\xfd7zXZ\0", "xz"), (b"BZh", "bzip2"),
                          (b"\x28\xb5\x2f\xfd", "Zstandard"))),
)  # fmt: skip
_LATER: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"TFL3", "a model of TensorFlow Lite", _FASTAI_ONLY),
    (4, b"ftyp", "a picture or a film", _ELSE),
    (4, b"ET1", "a model of ExecuTorch", _FASTAI_ONLY),
    (8, b'{"', "weights alone (safetensors), without classes and how pictures are seen",
     "Load them into their learner, and use learn.export()."),
    (257, b"ustar", "packed (tar)", "Unpack it first, and give the export.pkl within."),
)  # fmt: skip
_ONNX = re.compile(rb"\x08[\x01-\x14](?:\x12|\x1a|\x22|:)")  # the version, then the producer
_WEB_PAGE = re.compile(rb"<!doctype|<html|<head|<\?xml|<body|<script|<meta|<!--", re.IGNORECASE)

# What a zip contains -> what it is.
_KERAS = {"config.json", "metadata.json"}
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic")


def check_file(path: Path) -> int:
    """The size in bytes of a file that may be an export. Raises `Refused`, which says what it is.

    Only regular files are opened, and only their beginning is read.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise Refused(f"There is no file {path}. {_ELSE}") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        raise Refused(f"{path} cannot be read ({_reason(error)}).") from error
    if stat.S_ISDIR(status.st_mode):
        raise Refused(_what_folder(path))
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"{path} is no file but a device, a pipe or a socket. {_ELSE}")
    if status.st_size > MAX_FILE:
        raise Refused(
            f"{path.name} has {status.st_size // 2**20} MB; at most {MAX_FILE // 2**20} fit. "
            "No export of a classifier is that large."
        )
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError as error:
        raise Refused(f"{path} cannot be read ({_reason(error)}).") from error
    if what := _what(start, path):
        raise Refused(f"{path.name} is {what}")
    return status.st_size


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _what(start: bytes, path: Path) -> str | None:
    """What kind of file starts like this; None if it may be an export."""
    if not start:
        return "empty: a copy or a download that did not end. Copy or download it again."
    for magic, what, then in _BEGINNINGS:
        if start.startswith(magic):
            return f"{what}, not an export of fastai's. {then}"
    for place, magic, what, then in _LATER:
        if start.startswith(magic, place):
            return f"{what}, not an export of fastai's. {then}"
    if path.suffix == ".pb" or (start.startswith(b"\x08\x01\x12") and path.suffix != ".onnx"):
        return f"a model of TensorFlow, not an export of fastai's. {_FASTAI_ONLY}"
    if path.suffix == ".onnx" or _ONNX.match(start):
        return f"a model in ONNX' format, not an export of fastai's. {_FASTAI_ONLY}"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _WEB_PAGE.match(text):
        return (
            "a saved web page, not the file that it shows. Open the page again and use its "
            "Download button (on GitHub: Download raw file)."
        )
    if start.startswith(b"PK\x03\x04") or _PICKLE.match(start):
        return None
    if not _is_text(start):
        return f"no export of fastai's: it is neither a zip nor a pickle. {_ELSE}"
    if b'"cells"' in start or b'"nbformat"' in start:
        return f"a notebook, not an export of fastai's. Run learn.export() in it. {_ELSE}"
    return f"a text, not an export of fastai's. {_ELSE}"


def _is_text(start: bytes) -> bool:
    try:
        # The bytes may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return not any(byte < 9 or 13 < byte < 27 for byte in start)


def _what_folder(folder: Path) -> str:
    names = sorted(path.name for path in islice(folder.iterdir(), _MANY))
    if "card.json" in names and "model.onnx" in names:
        return f"{folder} is a classifier of Kezako's already: kezako serve {folder.resolve().name}"
    if "saved_model.pb" in names or "variables" in names:
        return f"{folder} is a model of TensorFlow, not an export of fastai's. {_FASTAI_ONLY}"
    found = [name for name in names if name.endswith((".pkl", ".pth", ".pickle"))]
    holds = f" It holds {', '.join(map(plain, found[:5]))}." if found else ""
    return f"{folder} is a folder, not a file.{holds} {_ELSE}"


def what_zip(names: Iterable[str]) -> str | None:
    """What a zip with entries of these names is; None if it may be an export."""
    paths = [PurePosixPath(name) for name in names]
    ends = {path.name for path in paths}
    suffixes = Counter(path.suffix.lower() for path in paths)
    if any(path.suffix == ".py" and "code" in path.parts for path in paths):
        return f"a TorchScript program, not an export of fastai's. {_ELSE}"
    if "data.pkl" in ends and [path.name for path in paths].count("data.pkl") == 1:
        return None
    if inside := sorted(
        str(path)
        for path in paths
        if path.suffix in (".pkl", ".pickle") and path.name != "data.pkl"
    ):
        return f"packed: unpack it, and give {plain(inside[0])}, which is within."
    if ends >= _KERAS or suffixes[".h5"] or suffixes[".keras"]:
        return f"a model of Keras or TensorFlow, not an export of fastai's. {_FASTAI_ONLY}"
    if suffixes[".tflite"] or suffixes[".pb"] or {"model.json", "weights.bin"} <= ends:
        return f"a model of TensorFlow, not an export of fastai's. {_FASTAI_ONLY}"
    if suffixes[".onnx"]:
        return f"a model in ONNX' format, not an export of fastai's. {_FASTAI_ONLY}"
    if suffixes[".mlmodel"]:
        return f"a model of Core ML, not an export of fastai's. {_FASTAI_ONLY}"
    if sum(suffixes[suffix] for suffix in _PICTURES):
        return (
            "a zip of pictures, not a classifier. A classifier is made of them with: "
            "kezako new NAME --classes A,B and kezako gather NAME --from FILE."
        )
    if suffixes[".npy"]:
        return f"arrays of NumPy's, not an export of fastai's. {_ELSE}"
    return f"a zip, but no export of fastai's: it does not hold one data.pkl. {_ELSE}"


def plain(text: str) -> str:
    """A file's name for a message: printable, at most 80 characters."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
