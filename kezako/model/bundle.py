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
cover.jpg       the picture that a shared link shows: title, classes, examples
examples/N.jpg  pictures to try, where the maker may show any; the card says of what, and whose
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
from dataclasses import replace
from glob import escape
from pathlib import Path

from kezako.errors import KezakoError
from kezako.lock import locked
from kezako.model.card import (
    EXAMPLES,
    FORMAT,
    Card,
    Credit,
    Example,
    Precision,
    Preprocessing,
    Way,
    card_of,
    is_file_name,
)
from kezako.names import nearest

__all__ = [
    "FORMAT", "BundleError", "Card", "Credit", "Example", "Precision", "Preprocessing", "Way",
    "amend", "handed_over", "is_handed_over", "list_bundles", "may_hold_photos", "new_bundle",
    "read_bundle", "read_card", "read_file", "write_card",
]  # fmt: skip

CARD = "card.json"
MODEL = "model.onnx"
HEAD = "head.onnx"
KNOWN = "known.npz"
EXPORT = "export.pkl"
REPORT = "report.html"
CREDITS = "credits.md"
COVER = "cover.jpg"
NOT_CLASSIFIERS = {"starter"}  # also in models/: pretrained weights to start training from
# In the environment of who fills a bundle for its writer: where, and whether without pictures.
STAGED_IN = "_KEZAKO_BUNDLE_IN"
WITHOUT_PHOTOS = "_KEZAKO_WITHOUT_PHOTOS"
PATIENCE = 10.0  # seconds for a bundle that is exchanged again and again while it is read
PAUSE = 0.02


class BundleError(KezakoError):
    """A bundle that cannot be used; the message says why and what to do."""


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


def handed_over(
    staged: Path,
    photos: bool = True,  # False: pictures that were gathered are to stay out
) -> dict[str, str]:
    """The environment of a process that fills what `new_bundle` gave this one."""
    return {STAGED_IN: str(staged.absolute()), WITHOUT_PHOTOS: "" if photos else "1"}


def may_hold_photos() -> bool:
    """Whether the bundle that this process fills may hold gathered pictures."""
    return not os.environ.get(WITHOUT_PHOTOS)


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
    """Write `card.json` with the checksums of all other files in `folder`, and return that card.

    Examples whose file is not there are left out of it.
    """
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted([*folder.iterdir(), *(folder / EXAMPLES).glob("*")])
        if path.is_file() and path.name != CARD
    }
    files = {name: digest for name, digest in files.items() if is_file_name(name)}
    examples = tuple(example for example in card.examples if example.file in files)
    sealed = replace(card, files=files, examples=examples)
    (folder / CARD).write_text(sealed.to_json(), encoding="utf-8")
    return sealed


def amend(
    folder: Path,
    added: Mapping[str, bytes],
    card: Card | None = None,  # the new one; its checksums are computed here
) -> Card:
    """Add or replace files of a bundle, or its card, atomically; returns the card.

    What stays is not written again. Raises `KezakoError` and `BundleError`.
    """
    with locked(folder):
        card = card or read_card(_given(folder) or folder)
        with new_bundle(folder) as staged:
            if staged != _given(folder):
                _copy(folder, staged, without={CARD, *added})
            for name, content in added.items():
                (staged / name).write_bytes(content)
            return write_card(staged, card)


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
        return card_of(values)
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
