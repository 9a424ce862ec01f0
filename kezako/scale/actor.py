"""The Ray Data actor of a batch: reads pictures, classifies them, writes one table per part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from kezako.batch.rows import column_of
from kezako.batch.workers import SECONDS_EACH, ordered
from kezako.errors import KezakoError
from kezako.model.bundle import MODEL, Card
from kezako.scale.packed import Packed
from kezako.scale.storage import Storage
from kezako.worker.client import Predictor
from kezako.worker.protocol import Outcome, problem, reason
from kezako.worker.retrying import RetryingWorker

READERS = 8  # threads that read ahead: an object store takes 50 ms, the model 15
AHEAD = 16  # pictures in memory at once


class Asker:
    """An actor of Ray Data. The model runs in a worker process, so a picture cannot crash the
    actor.

    Otherwise, a picture that crashes the actor would crash each of its replacements, too.
    """

    def __init__(self, packed: Packed, source: Storage, out: Storage):
        self._models = packed.unpack()
        self._card, self._name = packed.card, packed.name
        self._source, self._out = source, out
        self._worker = RetryingWorker(Predictor(Path(self._models.name), threads=1), SECONDS_EACH)
        self._readers = ThreadPoolExecutor(READERS, "kezako-reader")

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[int]]:
        """Classify the parts of `batch`; returns the numbers of rows and problems of each part.

        If a part is done again because its machine was lost, its table is overwritten.
        """
        counts = [self._part(*part) for part in zip(batch["part"], batch["names"], strict=True)]
        return {"rows": [rows for rows, _ in counts], "problems": [some for _, some in counts]}

    def _part(self, part: str, names: Any) -> tuple[int, int]:
        answers = list(self._answers([os.fsdecode(name) for name in names]))
        self._out.write(f"{part}.parquet", table(self._card, answers))
        return len(answers), sum(1 for _, outcome in answers if problem(outcome))

    def _answers(self, names: list[str]) -> Iterator[tuple[str, Outcome]]:
        contents = ordered(self._readers, self._source.read, names, AHEAD)
        for name, content in zip(names, contents, strict=True):
            outcome = self._asked(content) if isinstance(content, bytes) else content
            yield self._source.path(name), outcome

    def _asked(self, picture: bytes) -> Outcome:
        outcome = self._worker.ask([self._name], [picture])[0]
        if "failed" in outcome:  # not the picture's fault, so it must not become a row
            raise KezakoError(reason(outcome))
        return outcome


def table(card: Card, answers: list[tuple[str, Outcome]]) -> pa.Table:
    """An Arrow table with the columns of `kezako predict`, and the model's SHA-256."""
    outcomes = [outcome for _, outcome in answers]
    columns = {
        "path": pa.array([path for path, _ in answers], pa.string()),
        "label": _column(outcomes, "label", pa.string()),
        "labels": _column(outcomes, "labels", pa.list_(pa.string())),
        "known": _column(outcomes, "known", pa.bool_()),
        **{column_of(label): _probabilities(outcomes, label) for label in card.labels},
        "problem": pa.array([problem(outcome) or None for outcome in outcomes], pa.string()),
        "model": pa.array([card.files[MODEL]] * len(answers), pa.string()),
    }
    return pa.table(columns)


def _column(outcomes: list[Outcome], name: str, kind: pa.DataType) -> pa.Array:
    return pa.array([outcome.get(name) for outcome in outcomes], kind)


def _probabilities(outcomes: list[Outcome], label: str) -> pa.Array:
    given = [outcome.get("probabilities", {}).get(label) for outcome in outcomes]
    return pa.array(given, pa.float32())
