"""The files in `models/NAME/`: written atomically, read with their checksums.

export.pkl      stock fastai's `load_learner` opens it, without Kezako
model.onnx      what the page runs: picture (N, 3, S, S) -> logits (N, C), features (N, F) and, for
                "why", the feature map (N, K, h, w), whose maximum and mean over (h, w) are the
                features
head.onnx       the head alone, and the feature map of a plain grey picture: features (N, F) ->
                logits (N, C), grey (K, h, w); a bundle may lack it
known.npz       the training pictures in feature space, for "none of these"
card.json       everything needed to use the model, and how good it is
README.md       the same for people
credits.md      who made the training pictures, where licences are known
report.html     the executed training notebook, where there is one
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from glob import escape
from pathlib import Path
from typing import Any, Literal, get_args

from kezako.errors import KezakoError
from kezako.lock import locked
from kezako.names import nearest
from kezako.recipe import Task

FORMAT = 1
CARD = "card.json"
MODEL = "model.onnx"
HEAD = "head.onnx"
KNOWN = "known.npz"
EXPORT = "export.pkl"
REPORT = "report.html"
CREDITS = "credits.md"
NOT_CLASSIFIERS = {"starter"}  # also in models/: pretrained weights to start training from
Precision = Literal["int8", "fp32"]
STAGED_IN = "_KEZAKO_BUNDLE_IN"  # in the environment of who fills a bundle for its writer: where
PATIENCE = 10.0  # seconds for a bundle that is exchanged again and again while it is read
PAUSE = 0.02
# How a picture is resized or cut: a recipe's ways, and those that only imported networks use.
Way = Literal[
    "random-crop", "crop", "squish", "pad", "pad-zeros", "pad-border",
    "center-crop", "center-crop-border", "center-crop-reflection",
]  # fmt: skip
MOST_WAYS = 4  # steps, one after the other
MOST_PIXELS = 2048  # a side, of a picture between two steps


class BundleError(KezakoError):
    """A bundle that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the model's input; equal to fastai's validation transforms."""

    size: int  # pixels a side
    resize: Way
    mode: Literal["RGB", "L"] = "RGB"  # "L": grey, repeated over the three channels
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)  # ImageNet's, per channel of 0 to 1
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    before: tuple[tuple[Way, int], ...] = ()  # earlier steps, each with its output's side

    @property
    def ways(self) -> tuple[tuple[Way, int], ...]:
        """All steps in order, each with the pixels a side of its output."""
        return (*self.before, (self.resize, self.size))


@dataclass(frozen=True)
class Card:
    """The content of `card.json`; people and tests read `figures`, `training` and `libraries`."""

    name: str
    title: str
    prompt: str
    answer: str  # the page's sentence, with {label}
    labels: tuple[str, ...]  # in the order of the logits
    task: Task
    preprocessing: Preprocessing
    precision: Precision
    temperature: float  # divides the logits; already folded into export.pkl and model.onnx
    thresholds: Mapping[str, float]  # multi: label -> lowest probability at which it is named
    known: float | None  # greatest distance that still counts as one of the classes
    figures: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)  # file name -> sha256
    format: int = FORMAT
    language: str = ""
    examples: tuple[Mapping[str, Any], ...] = ()

    def name_of(self, label: str, language: str = "") -> str:
        return label

    def texts(self, language: str = "") -> Card:
        return self

    def to_json(self) -> str:
        values = asdict(self)
        if not self.preprocessing.before:  # older versions do not know this field
            del values["preprocessing"]["before"]
        del values["language"], values["examples"]
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def read_card(folder: Path) -> Card:
    """The checked card of a bundle. Raises `BundleError`."""
    return read_bundle(folder, lambda card: ())[0]


def read_file(folder: Path, card: Card, name: str) -> bytes:
    """The bytes of one file of a bundle, checked against the card. Raises `BundleError`."""
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise BundleError(f"{folder / name} cannot be read ({error.strerror}).") from error
    if hashlib.sha256(content).hexdigest() != card.files.get(name):
        raise BundleError(
            f"{folder / name} is not the file that {CARD} describes: "
            f"it was changed or copied in part. Copy the whole folder again, or train again."
        )
    return content


def read_bundle(
    folder: Path,
    needed: Callable[[Card], Iterable[str]],  # which files
) -> tuple[Card, dict[str, bytes]]:
    """The card of a bundle and the bytes of some of its files, all from the same version.

    If the bundle is replaced in the meantime, it is read again. Raises `BundleError`.
    """
    end = time.monotonic() + PATIENCE
    while True:
        place, stamp = _place(folder)
        try:
            card = _read_card(place, folder)
            return card, {name: read_file(place, card, name) for name in needed(card)}
        except BundleError:
            if _place(folder) == (place, stamp) or time.monotonic() > end:
                raise
            time.sleep(PAUSE)


def list_bundles(models: Path) -> list[str]:
    """The names of the classifiers under `models/`, sorted."""
    names = {path.name for path in models.glob("[!.]*")}
    # A bundle may be missing for a moment while two renames replace it, but its lock or the folder
    # that was moved aside is there.
    for ending in (".lock", ".old"):
        names |= {path.name[1 : -len(ending)] for path in models.glob(f".*{ending}")}
    return sorted(name for name in names if _is_whole(models / name))


@contextmanager
def new_bundle(
    folder: Path,
    replace: bool = True,  # False: `folder` must be missing or empty, now and at the end
) -> Iterator[Path]:
    """A temporary folder that replaces `folder` when the block ends, and is deleted if it fails.

    A crash at any moment leaves the old bundle or the new one. Raises `KezakoError` while another
    process writes `folder`, and where it may not be replaced.

    In a process with the environment `handed_over(…)`, it is the folder of the process that gave
    it, which replaces `folder` later.
    """
    if (given := _given(folder)) is not None:
        yield given
        return
    with locked(folder):
        if replace:
            _recover(folder)
        else:
            _check_free(folder)
        _sweep(folder)
        staged = Path(tempfile.mkdtemp(prefix=_staged(folder), dir=folder.parent))
        try:
            staged.chmod(0o755)  # mkdtemp's 0700 would lock out a server that runs as another user
            yield staged
            for path in staged.rglob("*"):
                if path.is_file():
                    _sync(path)
            if replace:
                _replace(staged, folder)
            else:
                _check_free(folder)
                with suppress(FileNotFoundError):
                    folder.rmdir()  # fails if somebody has just put a file there
                os.replace(staged, folder)
        finally:
            shutil.rmtree(staged, ignore_errors=True)


def handed_over(staged: Path) -> dict[str, str]:
    """The environment of a process that fills what `new_bundle` gave this one."""
    return {STAGED_IN: str(staged.absolute())}


def is_handed_over(folder: Path) -> bool:
    """Whether this process fills the bundle `folder` for another one."""
    return _given(folder) is not None


def _given(folder: Path) -> Path | None:
    staged = Path(os.environ.get(STAGED_IN, ""))
    ours = staged.parent == folder.parent.absolute() and staged.is_dir()
    return staged if ours and staged.name.startswith(_staged(folder)) else None


def _staged(folder: Path) -> str:
    """How the names of temporary folders begin."""
    return f".{folder.name}.new-"


def write_card(folder: Path, card: Card) -> Card:
    """Write `card.json` with the checksums of all other files in `folder`, and return that card."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != CARD
    }
    sealed = Card(**{**{f.name: getattr(card, f.name) for f in fields(Card)}, "files": files})
    (folder / CARD).write_text(sealed.to_json(), encoding="utf-8")
    return sealed


def amend(folder: Path, added: Mapping[str, bytes]) -> None:
    """Add or replace files of a bundle, atomically. Raises `KezakoError` and `BundleError`."""
    with locked(folder):
        card = read_card(_given(folder) or folder)
        with new_bundle(folder) as staged:
            if staged != _given(folder):
                _copy(folder, staged, without={CARD, *added})
            for name, content in added.items():
                (staged / name).write_bytes(content)
            write_card(staged, card)


def _copy(folder: Path, staged: Path, without: set[str]) -> None:
    shutil.copytree(
        folder, staged, dirs_exist_ok=True, copy_function=_link,
        ignore=lambda _, names: without & set(names),
    )  # fmt: skip


def _link(source: str, target: str) -> None:
    """Hard-link unchanged files instead of copying them: a bundle has 60 MB."""
    try:
        os.link(source, target)
    except OSError:  # FAT and some network disks have no hard links
        shutil.copy2(source, target)


def _none_there(folder: Path) -> str:
    there = list_bundles(folder.parent)
    if near := nearest(folder.name, there):
        return f"There is no classifier in {folder}.{near} Here are: {', '.join(there)}."
    return f"There is no classifier in {folder}. Train one with: kezako train {folder.name}"


def _read_card(place: Path, folder: Path) -> Card:
    try:
        values = json.loads((place / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(_none_there(folder)) from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{folder / CARD} cannot be read ({error}).") from error
    try:
        return _card_from(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{folder / CARD} is not a card of format {FORMAT}: {error}.") from error


def _is_whole(folder: Path) -> bool:
    """Whether a classifier is in `folder`, or was moved aside for a moment."""
    while True:
        place, stamp = _place(folder)
        if all((place / name).is_file() for name in (CARD, MODEL)):
            return True
        if _place(folder) == (place, stamp):
            return False  # else it was replaced between the two checks


def _place(folder: Path) -> tuple[Path, tuple[int, ...]]:
    """Where a bundle is now, and a stamp that changes whenever it is written again.

    Between the two renames of a replacement, the bundle is in the aside folder. After a crash at
    that point it is read from there until somebody writes it again.
    """
    for place in (folder, _aside(folder), folder):
        with suppress(OSError):
            status = place.stat()
            stamp = [status.st_dev, status.st_ino]
            with suppress(OSError):  # the card's inode counts too: the folder may reuse an old one
                card = (place / CARD).stat()
                stamp += [card.st_ino, card.st_mtime_ns]
            return place, tuple(stamp)
    return folder, ()


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _recover(folder: Path) -> None:
    """Undo a crash between the two renames of a replacement. The caller holds the lock."""
    if not folder.exists() and _aside(folder).is_dir():
        os.replace(_aside(folder), folder)
    shutil.rmtree(_aside(folder), ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Delete what killed writers left; for who holds the lock, since none of them then lives."""
    for left in folder.parent.glob(f"{escape(_staged(folder))}*"):
        shutil.rmtree(left, ignore_errors=True)


def _check_free(folder: Path) -> None:
    """Raises `KezakoError` if `folder` is a file or is not empty."""
    if folder.exists() and not folder.is_dir():
        raise KezakoError(f"{folder} is a file; name a folder that does not exist yet.")
    if folder.is_dir() and any(folder.iterdir()):
        raise KezakoError(
            f"{folder} holds something already; name a folder that does not exist yet."
        )


def _card_from(values: dict[str, Any]) -> Card:
    if values.get("format") != FORMAT:
        raise ValueError(f"its format is {values.get('format')!r}")
    known = {f.name for f in fields(Card)}
    values = {key: value for key, value in values.items() if key in known}
    preprocessing = dict(values["preprocessing"])
    for key in ("mean", "std"):
        preprocessing[key] = tuple(float(value) for value in preprocessing[key])
    before = tuple((str(way), int(size)) for way, size in preprocessing.get("before", ()))
    values["preprocessing"] = Preprocessing(**{**preprocessing, "before": before})
    values["labels"] = tuple(str(label) for label in values["labels"])
    card = Card(**values)
    if not card.labels or not 32 <= card.preprocessing.size <= 1024:
        raise ValueError("its labels or its picture size are out of range")
    ways = card.preprocessing.ways
    if not {way for way, _ in ways} <= set(get_args(Way)) or card.task not in get_args(Task):
        raise ValueError("its resize method or its task is unknown")
    if len(ways) > MOST_WAYS or not all(1 <= size <= MOST_PIXELS for _, size in ways):
        raise ValueError("what it does to pictures is out of range")
    if card.preprocessing.mode not in ("RGB", "L") or "{label}" not in card.answer:
        raise ValueError("its picture mode or its answer is wrong")
    return card


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _replace(staged: Path, folder: Path) -> None:
    if not folder.exists():
        os.replace(staged, folder)
    elif _exchange(staged, folder):
        shutil.rmtree(staged)
    else:
        os.replace(folder, _aside(folder))  # readers find it there in the meantime
        os.replace(staged, folder)
        shutil.rmtree(_aside(folder))


def _exchange(first: Path, second: Path) -> bool:
    """Swap two folders atomically; False where the system cannot (Linux has renameat2)."""
    if sys.platform != "linux":
        return False
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    at_working_directory, exchange = -100, 2
    names = os.fsencode(first), os.fsencode(second)
    return bool(
        renameat2(at_working_directory, names[0], at_working_directory, names[1], exchange) == 0
    )
