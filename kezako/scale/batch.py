"""`kezako scale batch`: classify a folder or bucket of pictures with Ray Data, to Parquet."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray.data
from tqdm.auto import tqdm

from kezako.batch.finished import Done
from kezako.errors import KezakoError, sentence
from kezako.model.bundle import MODEL, Card
from kezako.model.classifier import Classifier
from kezako.scale.cluster import connected
from kezako.scale.packed import Packed
from kezako.scale.storage import Storage

LEAST, MOST = 256, 4096  # pictures per table: seconds of work, which are lost with a machine
TABLES = 10_000  # tables of a large run, approximately: more make a folder slow to list


@dataclass
class Summary:
    """The result of one run, in numbers of pictures."""

    earlier: int = 0  # already had a row
    rows: int = 0
    problems: int = 0

    def __str__(self) -> str:
        earlier = f", {self.earlier} by an earlier run" if self.earlier else ""
        return f"{self.rows} pictures, {self.problems} of them with a problem{earlier}."


def classify(
    bundle: Path,  # models/NAME
    source: str,  # a folder, or a URI such as s3://bucket/pictures
    out: str,  # the same, for the tables; those of an interrupted run are kept
    address: str | None = None,  # of a Ray cluster; None: this machine
    workers: int | None = None,  # at most; None: one per core
    part: int | None = None,  # pictures per table; None: depends on their number
) -> Summary:
    """Classify every picture that has no row yet. Raises `KezakoError`."""
    # Fail here if the bundle cannot be opened, not on every machine.
    Classifier.open(bundle, threads=1)
    packed = Packed.of(bundle)
    pictures, answers = Storage.of(source), Storage.of(out)
    with answers.alone():
        return _classify(packed, pictures, answers, address, workers, part)


def _classify(
    packed: Packed,
    pictures: Storage,
    answers: Storage,
    address: str | None,
    workers: int | None,
    part: int | None,
) -> Summary:
    done = Done(_paths(answers, packed.card))
    names = [name for name in pictures.names() if pictures.path(name) not in done]
    summary = Summary(earlier=len(done))
    if not names:
        if not done:
            raise KezakoError(f"There are no files in {pictures.shown}.")
        return summary
    parts = list(_parts(names, part or min(MOST, max(LEAST, len(names) // TABLES))))
    with (
        connected(address, workers),
        tqdm(total=len(names) + len(done), initial=len(done), unit="picture") as bar,
    ):
        for counted in _run(parts, packed, pictures, answers, workers):
            summary.rows += counted["rows"]
            summary.problems += counted["problems"]
            bar.update(counted["rows"])
    return summary


def _run(
    parts: list[dict[str, Any]], packed: Packed, source: Storage, out: Storage, workers: int | None
) -> Iterator[dict[str, int]]:
    """Numbers of rows and problems of each part, as they are finished."""
    from kezako.scale.actor import Asker

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False  # our own bar counts pictures
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    cores = int(ray.cluster_resources().get("CPU", 1))
    most = max(1, min(workers or cores, cores, len(parts)))
    data = ray.data.from_items(parts, override_num_blocks=len(parts))
    answered = data.map_batches(
        Asker,
        batch_size=1,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=most),
        fn_constructor_args=(packed, source, out),
    )
    try:
        yield from answered.iter_rows()
    except ray.exceptions.RayError as error:
        if isinstance(error, ray.exceptions.RayTaskError) and (told := sentence(error.cause)):
            raise KezakoError(told) from error
        reason = str(error).strip().splitlines()[-1]
        raise KezakoError(
            f"Ray gave up ({reason}). Run the same command again to go on."
        ) from error


def _parts(names: list[str], size: int) -> Iterator[dict[str, Any]]:
    for start in range(0, len(names), size):
        some = [os.fsencode(name) for name in names[start : start + size]]
        number = hashlib.sha256(b"\0".join(some)).hexdigest()[:24]
        yield {"part": f"part-{number}", "names": some}


def _paths(answers: Storage, card: Card) -> Iterator[str]:
    """Paths of pictures that have a row. Raises `KezakoError` if another model wrote it."""
    for table in answers.tables(["path", "model"]):
        if set(table["model"].unique().to_pylist()) - {card.files[MODEL]}:
            raise KezakoError(
                f"{answers.shown} holds answers of another training of {card.name}. "
                "Name a new folder for the new ones."
            )
        yield from table["path"].to_pylist()
