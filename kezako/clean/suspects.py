"""Rank every picture of a recipe, most suspicious first, with reasons in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from kezako.clean.checks import REPORTED, chosen, combine
from kezako.clean.copies import groups_of
from kezako.clean.evidence import Evidence, Integers, nearest, out_of_fold, vote
from kezako.clean.features import Features, measure
from kezako.dataset.manifest import Manifest
from kezako.dataset.readiness import check_comparable
from kezako.dataset.row import Row
from kezako.recipe import Recipe
from kezako.workspace import Workspace


@dataclass(frozen=True)
class Suspect:
    """One picture with its score and the reasons for it."""

    row: Row
    score: float  # 0 to 1, all checks combined
    reasons: tuple[str, ...]  # in words, most important first; empty if nothing stands out
    scores: Mapping[str, float] = field(default_factory=dict)  # by check


def find_suspects(
    recipe: Recipe,
    workspace: Workspace,
    checks: Iterable[str] | None = None,  # names of checks; None: all
) -> list[Suspect]:
    """All kept pictures, most suspicious first; measurements are cached for the next time.

    Raises `KezakoError` if there are too few pictures.
    """
    rows, unreadable, features = look(recipe, workspace)
    broken = [Suspect(row, 1.0, ("the file cannot be opened",)) for row in unreadable]
    return broken + judge(rows, evidence_of(recipe, rows, features), checks)


def look(recipe: Recipe, workspace: Workspace) -> tuple[list[Row], list[Row], Features]:
    """The kept rows that can be opened, those that cannot, and measurements of the former.

    Raises `KezakoError` if there are too few pictures.
    """
    with Manifest(workspace.folder(recipe.name), read_only=True) as manifest:
        rows = [row for row in manifest.on_disk() if recipe.trains_on(row.folder)]
    check_comparable(recipe, rows)
    return measure(recipe, workspace, rows)


def evidence_of(
    recipe: Recipe,
    rows: Sequence[Row],  # (N,)
    features: Features,  # of the same pictures
    folders: Sequence[str] | None = None,  # (N,) folders to assume; None: the rows' own
    seed: int = 0,  # of the folds
) -> Evidence:
    """The evidence for all checks. Raises `KezakoError` if there are too few pictures."""
    folders = tuple(row.folder for row in rows) if folders is None else tuple(folders)
    multi = recipe.task == "multi"
    given = np.array(
        [[label in recipe.labels_of(folder) for label in recipe.labels] for folder in folders],
        dtype=np.int64,
    )  # (N, C)
    groups = groups_of(rows, features.copies)
    p = out_of_fold(features.views, given, groups, multi, seed)
    indices, similarities = nearest(features.views, groups)
    return Evidence(
        labels=recipe.labels,
        multi=multi,
        folders=folders,
        given=given,
        p=p,
        votes=vote(indices, similarities, given),
        distance=1 - similarities.mean(axis=1),
        rivals=_rivals(groups, folders),
        leaks=_leaks(groups, rows),
        sharpness=features.looks[:, 0],
        drawn=features.looks[:, 1],
        shortest=np.array([min(row.width or 0, row.height or 0) for row in rows]),
    )


def judge(
    rows: Sequence[Row],  # (N,)
    evidence: Evidence,  # of the same pictures
    checks: Iterable[str] | None = None,
) -> list[Suspect]:
    """The suspects among `rows`, most suspicious first."""
    ran = [(check, check.run(evidence)) for check in chosen(checks)]
    combined = combine([f.scores for _, f in ran], [c.weight for c, _ in ran])
    suspects = []
    for i, row in enumerate(rows):
        told = sorted(
            (-check.weight * finding.scores[i], finding.reasons[i])
            for check, finding in ran
            if finding.scores[i] >= REPORTED
        )
        scores = {check.name: float(finding.scores[i]) for check, finding in ran}
        reasons = tuple(reason for _, reason in told)
        suspects.append(Suspect(row, float(combined[i]), reasons, scores))
    return sorted(suspects, key=lambda suspect: (-suspect.score, suspect.row.id or 0))


def as_table(suspects: Sequence[Suspect]) -> Any:
    """The suspects as a pandas DataFrame for a notebook, one row per picture."""
    import pandas as pd  # lazy: only notebooks need it

    return pd.DataFrame(
        {
            "file": suspect.row.file,
            "class": suspect.row.folder,
            "side": suspect.row.split,
            "score": suspect.score,
            **suspect.scores,
            "reasons": "; ".join(suspect.reasons),
        }
        for suspect in suspects
    )


def as_lines(suspects: Sequence[Suspect]) -> Iterator[str]:
    """The suspects as lines for a terminal."""
    yield f"{'score':>5}  {'file':<60}  reasons"
    for suspect in suspects:
        reasons = "; ".join(suspect.reasons) or "nothing stands out"
        yield f"{suspect.score:5.2f}  {suspect.row.file or '':<60}  {reasons}"


def in_short(row: Row) -> str:
    """A short name of a picture for reasons: its class and the start of its file name."""
    return f"{row.folder}/{PurePosixPath(str(row.file)).stem[:8]}"


def _rivals(groups: Integers, folders: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """For each picture, the other folders with a near-duplicate of it."""
    held: dict[int, set[str]] = defaultdict(set)
    for group, folder in zip(groups, folders, strict=True):
        held[int(group)].add(folder)
    return tuple(
        tuple(sorted(held[int(group)] - {folder}))
        for group, folder in zip(groups, folders, strict=True)
    )


def _leaks(groups: Integers, rows: Sequence[Row]) -> tuple[str, ...]:
    """For each validation picture, the short name of a copy in training; else empty."""
    learnt = {
        int(number): row for number, row in zip(groups, rows, strict=True) if row.split == "train"
    }
    return tuple(
        in_short(learnt[int(number)]) if row.split == "valid" and int(number) in learnt else ""
        for number, row in zip(groups, rows, strict=True)
    )
