"""Check that a training can start: enough pictures per class, and enough disk space.

This takes less than a second and no torch. `kezako train` and the first cell of the training
notebook use it; gathering and cleaning use the check of pictures.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote

from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.errors import AGAIN, KezakoError, sentence, size
from kezako.recipe import Recipe
from kezako.workspace import Workspace

LEAST = 10  # kept pictures per class: with fewer, not even two are left for validation
COMPARABLE = 4  # pictures in all: fewer cannot be compared
SHOWN = 5  # classes named in one sentence
UNFINISHED = "unfinished.pt"  # in data/NAME: the last epoch of a training that has not ended
CHECKPOINTS = (UNFINISHED, f"{Path(UNFINISHED).stem}.part")  # the second while it is written
# With fastai's head; the largest file of a training has 12 bytes for each: weights, two moments.
PARAMETERS = {"resnet18": 11_800_000, "resnet34": 21_900_000, "resnet50": 25_700_000}
# Bytes per parameter, as measured: of an epoch's checkpoint, and of all files of a bundle
# while it is replaced.
CHECKPOINT, BUNDLE = 12, 17
REPORT = 32 << 20  # bytes of a report with many pictures, twice while it is added


class NotReady(KezakoError):
    """A training could not end with a model; the message says why and what to do."""


def check_ready(
    recipe: Recipe,
    workspace: Workspace,
    adopted: bool = True,  # False: pictures/ may have files that are not in the manifest yet
) -> None:
    """Raise `NotReady` if a training of `recipe` could not succeed. Opens no picture."""
    folder = workspace.folder(recipe.name)
    with Manifest(folder, read_only=True) as manifest:
        rows = manifest.rows()
    there = set(_files(folder))
    kept = [row for row in rows if row.status == "kept" and _lies(row, folder, there)]
    if (adopted or len(kept) == len(there)) and (told := too_few(recipe, kept, rows)):
        raise NotReady(told)
    _check_room(recipe, workspace)


def _lies(row: Row, folder: Path, there: set[str]) -> bool:
    return row.file in there or (folder / str(row.file)).is_file()  # behind a symbolic link


def check_comparable(recipe: Recipe, kept: Sequence[Row]) -> None:
    """Raise `NotReady` if there are too few pictures to clean."""
    if len(kept) < COMPARABLE:
        raise NotReady(too_few(recipe, kept))


def next_step(recipe: Recipe, manifest: Manifest) -> str:
    """What to do next with these pictures: train, or find more first."""
    lacking = too_few(recipe, manifest.kept(), manifest.rows())
    return lacking or f"Next: kezako train {quote(recipe.name)}"


def too_few(
    recipe: Recipe,
    kept: Iterable[Row],
    tried: Iterable[Row] = (),  # all rows, so that the sentence can say why others are not kept
) -> str:
    """A sentence if a class has fewer than `LEAST` kept pictures (not test); else empty."""
    counts = Counter(
        label for row in kept if row.split != "test" for label in recipe.labels_of(row.folder)
    )
    lacking = {label: counts[label] for label in recipe.labels if counts[label] < LEAST}
    if not lacking:
        return ""
    name = quote(recipe.name)
    tried = list(tried)
    reasons = _reasons(recipe, tried)
    refused = any(row.status in ("refused", "broken", "duplicate") for row in tried)
    if not refused and not any(counts[label] for label in recipe.labels):
        return f"{recipe.name} has no pictures yet. Gather some with: kezako gather {name}"
    said = [f"{label} has {n or 'none'}{reasons[label]}" for label, n in lacking.items()]
    more = [f"and so on: {len(said) - SHOWN} more classes"] if len(said) > SHOWN else []
    wanted = (
        f" The recipe asks for {recipe.pictures_per_class}: raise pictures_per_class in it."
        if recipe.pictures_per_class < LEAST
        else ""
    )
    if any(row.url and str(row.reason).startswith("too small") for row in tried):
        wanted += (
            f" From the web only those of {recipe.min_side} pixels and more are taken: lower "
            "min_side in the recipe."
        )
    return (
        f"{recipe.name} needs at least {LEAST} pictures of each class to train on: "
        f"{', '.join([*said[:SHOWN], *more])}.{wanted} Gather more with: kezako gather {name}, or "
        f"kezako gather {name} --from FOLDER for your own."
    )


def _check_room(recipe: Recipe, workspace: Workspace) -> None:
    """Raise `NotReady` if data/NAME or models/ cannot be written, or the disk is too full."""
    data, models = workspace.folder(recipe.name), workspace.models
    bundle = workspace.bundle(recipe.name)
    if bundle.exists() and not bundle.is_dir():
        raise NotReady(f"{bundle} is a file, and a folder belongs there. Move it away, {AGAIN}.")
    for folder in (data, models):
        _check_writable(folder)
    for folder, needed in _needed(recipe, data, models).items():
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise NotReady(
                f"A training of {recipe.name} writes up to {size(needed)}, and {size(free)} are "
                f"free where {folder} lies. Make room there, {AGAIN}."
            )


def _needed(recipe: Recipe, data: Path, models: Path) -> dict[Path, int]:
    """Folder -> bytes that must be free there; if both are on one disk, one entry for both."""
    parameters = PARAMETERS[recipe.backbone]
    # The last checkpoint stays until the next one is written.
    epochs = 2 * CHECKPOINT * parameters if recipe.fit == "full" else 0
    bundle = BUNDLE * parameters + REPORT
    lies = sum((data / name).stat().st_size for name in CHECKPOINTS if (data / name).is_file())
    if os.stat(data).st_dev == os.stat(models).st_dev:
        # The checkpoint is deleted before the report is written.
        return {models: max(epochs + REPORT - lies, bundle)}
    return {data: epochs - lies, models: bundle}


def forget_checkpoint(data: Path) -> None:
    """Delete the checkpoint in `data/NAME`, once the bundle is written."""
    for name in CHECKPOINTS:
        (data / name).unlink(missing_ok=True)


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        told = OSError(error.errno, error.strerror, str(folder))
        raise NotReady(sentence(told) or f"{folder} cannot be written ({error}).") from error


def _files(folder: Path) -> Iterator[str]:
    """The files in data/NAME/pictures, as the manifest names them, without hidden files."""
    for where, folders, names in os.walk(folder / "pictures"):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(where).relative_to(folder).as_posix()
        yield from (f"{inside}/{name}" for name in names if not name.startswith("."))


def _reasons(recipe: Recipe, rows: Iterable[Row]) -> Mapping[str, str]:
    """Main reasons per class why pictures were not kept: " (35 too small, 2 unreadable)"."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.status not in ("kept", "pending", "offered"):
            for label in recipe.labels_of(row.folder):
                counts[label][(row.reason or row.status).split(":")[0]] += 1
    found: defaultdict[str, str] = defaultdict(str)
    for label, why in counts.items():
        found[label] = f" ({', '.join(f'{n} {what}' for what, n in why.most_common(2))})"
    return found
