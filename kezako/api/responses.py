"""JSON of responses: answers with their status, and summaries of classifiers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kezako.model.bundle import MODEL, Card
from kezako.model.card import words_as_json
from kezako.worker.protocol import Outcome, problem


def shown(outcomes: Sequence[Outcome], several: bool) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a response; among several, a bad picture affects no other."""
    if several:
        return 200, {"answers": [_shown(outcome) for outcome in outcomes]}
    status = 422 if "refused" in outcomes[0] else 503 if "failed" in outcomes[0] else 200
    return status, _shown(outcomes[0])


def summary(name: str, card: Card) -> dict[str, object]:
    """A classifier's entry in the list of /api/models."""
    validation = card.figures.get("validation")
    figures = validation if isinstance(validation, dict) else {}
    return {
        "name": name,
        "title": card.title,
        "prompt": card.prompt,
        "answer": card.answer,
        "labels": list(card.labels),
        **words_as_json(card),
        "task": card.task,
        "version": card.files.get(MODEL, ""),
        "error": _figure(figures.get("error"), float),
        "pictures": _figure(figures.get("pictures"), int),
        "knows_none_of_these": card.known is not None,
    }


def _shown(outcome: Outcome) -> Outcome:
    sentence = problem(outcome)
    return {"error": sentence} if sentence else outcome


def _figure(value: object, kind: type[float] | type[int]) -> float | int | None:
    """`value` if it is a number of that kind, else None: the card may come from outside."""
    return value if isinstance(value, kind) and math.isfinite(value) else None
